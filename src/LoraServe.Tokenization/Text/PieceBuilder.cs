using System.Text;

namespace LoraServe.Tokenization.Text;

/// <summary>Builds the changed text of a piece and carries the origins along.</summary>
/// <param name="piece">The piece that is changed.</param>
internal sealed class PieceBuilder(TextPiece piece)
{
    private readonly StringBuilder _text = new(piece.Length + 16);
    private readonly List<int>? _origins = piece.Origins is null ? null : new List<int>(piece.Length + 16);

    /// <summary>The origin of a unit of the old text, counted from the piece's start; before the first there is none.</summary>
    public int OriginAt(int index) =>
        piece.Origins is null || index < 0 ? TextPiece.NoOrigin : piece.Origins[piece.Start + index];

    /// <summary>Adds a part of the old text as it is.</summary>
    public void Keep(int start, int end)
    {
        _text.Append(piece.Text, piece.Start + start, end - start);
        _origins?.AddRange(piece.Origins.AsSpan(piece.Start + start, end - start));
    }

    /// <summary>Adds new text that stands for one place of the input.</summary>
    public void Add(ReadOnlySpan<char> text, int origin)
    {
        _text.Append(text);
        for (int i = 0; _origins is not null && i < text.Length; i++)
        {
            _origins.Add(origin);
        }
    }

    /// <summary>Adds a code point that stands for one place of the input.</summary>
    public void Add(int codePoint, int origin)
    {
        Span<char> units = stackalloc char[2];
        Add(units[..new Rune(codePoint).EncodeToUtf16(units)], origin);
    }

    public TextPiece Build() => new(_text.ToString(), _origins?.ToArray(), 0, _text.Length, piece.IsFirst);
}
