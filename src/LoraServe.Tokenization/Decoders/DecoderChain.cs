namespace LoraServe.Tokenization.Decoders;

/// <summary>All steps from tokens back to text.</summary>
internal sealed class DecoderChain(IReadOnlyList<DecoderStep> steps)
{
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
