namespace LoraServe.Tokenization.Decoders;

/// <summary>All steps from tokens back to text.</summary>
internal sealed class DecoderChain(IReadOnlyList<DecoderStep> steps)
{
    /// <summary>Whether the text of a token depends on the token alone, and at the most on whether it is the first.</summary>
    public bool IsByToken => steps.Select((step, i) => step.IsByToken(steps.Take(i).Any(before => before.Fuses))).All(isByToken => isByToken)
        && (!HasByteCharacters || steps.All(step => step is ByteLevelDecoder or FuseDecoder));

    /// <summary>Whether tokens are bytes spelled as characters.</summary>
    public bool HasByteCharacters => steps.Any(step => step is ByteLevelDecoder);

    /// <summary>Whether some tokens name single bytes.</summary>
    public bool HasByteNames => steps.Any(step => step is ByteFallbackDecoder);

    /// <summary>The first stage of a decoding run that ends in a sink.</summary>
    public IFragmentSink CreateRun(IFragmentSink end, bool isIncremental)
    {
        IFragmentSink stage = end;
        for (int i = steps.Count - 1; i >= 0; i--)
        {
            bool isFused = steps.Take(i).Any(step => step.Fuses);
            stage = steps[i].CreateStage(stage, new DecodingContext(isIncremental, isFused));
        }

        return stage;
    }
}
