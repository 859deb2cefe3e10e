using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>Spells bytes as characters, before a text is cut into words.</summary>
internal sealed class ByteLevelNormalizer : Normalizer
{
    public override TextPiece Normalize(in TextPiece piece) => ByteCharacters.Spell(piece);
}
