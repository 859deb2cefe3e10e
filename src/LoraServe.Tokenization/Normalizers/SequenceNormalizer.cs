using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>Normalizers one after the other.</summary>
internal sealed class SequenceNormalizer(IReadOnlyList<Normalizer> steps) : Normalizer
{
    public override TextPiece Normalize(in TextPiece piece)
    {
        TextPiece result = piece;
        foreach (Normalizer step in steps)
        {
            result = step.Normalize(result);
        }

        return result;
    }
}
