using System.Globalization;
using System.Text;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>Normalizes by a compiled map, as the library does: what a reader sees as one character is looked up whole if it is short, else each code point.</summary>
internal sealed class PrecompiledNormalizer : Normalizer
{
    /// <summary>What takes more bytes of UTF-8 is not looked up whole.</summary>
    private const int LongestWhole = 5;

    private readonly CharacterMap _map;

    // What ASCII characters become on their own; most texts are made of them.
    private readonly string?[] _ascii = new string?[128];
    private readonly bool _keepsVisibleAscii;

    public PrecompiledNormalizer(CharacterMap map)
    {
        _map = map;
        for (int c = 0; c < _ascii.Length; c++)
        {
            _ascii[c] = map.FindShortest([(byte)c]);
        }

        _keepsVisibleAscii = Array.TrueForAll(_ascii[' '..0x7F], text => text is null);
    }

    public override TextPiece Normalize(in TextPiece piece)
    {
        ReadOnlySpan<char> text = piece.Span;
        if (_keepsVisibleAscii && text.IndexOfAnyExceptInRange(' ', '~') < 0)
        {
            return piece;
        }

        List<(int CodePoint, int Change)> changes = new(text.Length);
        Span<byte> bytes = stackalloc byte[LongestWhole];
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = CharacterEnd(text, start);
            ReadOnlySpan<char> character = text[start..end];
            if (Encoding.UTF8.TryGetBytes(character, bytes, out int length) && Find(bytes[..length]) is { } whole)
            {
                Replace(changes, CodePoints.Count(character), whole);
                continue;
            }

            for (int i = start, units; i < end; i += units)
            {
                int codePoint = CodePoints.At(text, i, out units);
                Encoding.UTF8.TryGetBytes(text.Slice(i, units), bytes, out length);
                if (Find(bytes[..length]) is { } part)
                {
                    Replace(changes, 1, part);
                }
                else
                {
                    changes.Add((codePoint, 0));
                }
            }
        }

        return PieceTransform.Apply(piece, changes);
    }

    private static int CharacterEnd(ReadOnlySpan<char> text, int start) =>
        // An ASCII character before another is one of its own, but for a carriage return before a line feed.
        text[start] < 0x80 && text[start] != '\r' && start + 1 < text.Length && text[start + 1] < 0x80
            ? start + 1
            : start + StringInfo.GetNextTextElementLength(text[start..]);

    private string? Find(ReadOnlySpan<byte> text) => text.Length == 1 ? _ascii[text[0]] : _map.FindShortest(text);

    /// <summary>Replaces some code points: new ones beyond them are put in; where there are fewer, the last of all that is there drops the rest.</summary>
    private static void Replace(List<(int CodePoint, int Change)> changes, int old, string text)
    {
        int first = changes.Count;
        foreach (Rune rune in text.EnumerateRunes())
        {
            changes.Add((rune.Value, changes.Count - first < old ? 0 : 1));
        }

        if (changes.Count - first < old && changes.Count > 0)
        {
            (int codePoint, int change) = changes[^1];
            changes[^1] = (codePoint, change + (changes.Count - first) - old);
        }
    }
}
