using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.PreTokenizers;

/// <summary>Pre-tokenizers one after the other: each cuts the pieces of the one before.</summary>
internal sealed class SequencePreTokenizer(IReadOnlyList<PreTokenizer> steps) : PreTokenizer
{
    public override IPieceSink CreateStage(IPieceSink next)
    {
        for (int i = steps.Count - 1; i >= 0; i--)
        {
            next = steps[i].CreateStage(next);
        }

        return next;
    }
}
