using LoraServe.Tokenization.Models;

namespace LoraServe.Tokenization.PostProcessors;

/// <summary>Post-processors one after the other.</summary>
internal sealed class SequencePostProcessor(IReadOnlyList<PostProcessor> steps) : PostProcessor
{
    public override void Process(TokenOutput output, bool addSpecialTokens)
    {
        foreach (PostProcessor step in steps)
        {
            step.Process(output, addSpecialTokens);
        }
    }

    public override IEnumerable<PostProcessor> WithoutFrame() => steps.SelectMany(step => step.WithoutFrame());
}
