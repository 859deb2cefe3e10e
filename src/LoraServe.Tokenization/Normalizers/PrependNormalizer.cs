using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>Puts a text before every piece that is not empty.</summary>
internal sealed class PrependNormalizer(string text) : Normalizer
{
    public override TextPiece Normalize(in TextPiece piece) => PieceTransform.Prepend(piece, text);
}
