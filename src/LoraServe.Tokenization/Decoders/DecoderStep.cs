namespace LoraServe.Tokenization.Decoders;

/// <summary>One step on the way from tokens back to text.</summary>
internal abstract class DecoderStep
{
    /// <summary>Whether what this step hands on is one single token.</summary>
    public virtual bool Fuses => false;

    /// <summary>Whether what it makes of a token depends on the token alone, and at the most on whether it is the first.</summary>
    /// <param name="isFused">Whether a step before has made one token of all.</param>
    public virtual bool IsByToken(bool isFused) => false;

    /// <summary>A stage of one decoding run that hands its fragments on.</summary>
    /// <param name="next">Takes the fragments.</param>
    /// <param name="context">How the run is done.</param>
    public abstract IFragmentSink CreateStage(IFragmentSink next, DecodingContext context);
}

/// <summary>How a decoding run is done.</summary>
/// <param name="IsIncremental">Text is handed on as soon as its characters are complete, rather than when all is known.</param>
/// <param name="IsFused">A step before has made one token of all, so that a match can reach over fragments.</param>
internal readonly record struct DecodingContext(bool IsIncremental, bool IsFused);
