using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>Changes a text before it is cut into words.</summary>
internal abstract class Normalizer
{
    public abstract TextPiece Normalize(in TextPiece piece);

    /// <summary>The normalized form of a text on its own.</summary>
    public string Normalize(string text) => Normalize(TextPiece.Whole(text, trackOrigins: false)).Span.ToString();
}
