using System.Text;

namespace LoraServe.Tokenization.Text;

/// <summary>GPT-2's spelling of bytes as visible characters: byte-level vocabularies are written in it.</summary>
internal static class ByteCharacters
{
    private static readonly char[] s_characters = new char[256];
    private static readonly short[] s_bytes = new short[512];

    static ByteCharacters()
    {
        Array.Fill(s_bytes, (short)-1);
        int next = 256;
        for (int b = 0; b < 256; b++)
        {
            bool isVisible = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            char c = (char)(isVisible ? b : next++);
            s_characters[b] = c;
            s_bytes[c] = (short)b;
        }
    }

    public static char Of(byte value) => s_characters[value];

    /// <summary>How many bytes the spelling of a byte takes.</summary>
    public static int Utf8Length(byte value) => s_characters[value] < 0x80 ? 1 : 2;

    /// <summary>The byte that a character spells, or -1.</summary>
    public static int ByteOf(char character) => character < s_bytes.Length ? s_bytes[character] : -1;

    /// <summary>A piece with its bytes spelled as characters.</summary>
    public static TextPiece Spell(in TextPiece piece)
    {
        ReadOnlySpan<char> text = piece.Span;
        List<(int, int)> changes = new(text.Length);
        Span<byte> bytes = stackalloc byte[4];
        for (int i = 0; i < text.Length;)
        {
            Rune rune = new(CodePoints.At(text, i, out int units));
            int count = rune.EncodeToUtf8(bytes);
            for (int b = 0; b < count; b++)
            {
                changes.Add((Of(bytes[b]), b == 0 ? 0 : 1));
            }

            i += units;
        }

        return PieceTransform.Apply(piece, changes);
    }
}
