using System.Text;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>SentencePiece's own normalization, as llama.cpp does it: the longest text of a map that fits is replaced, and spaces are spelled so that they can be seen.</summary>
/// <param name="map">What is replaced; null for nothing.</param>
/// <param name="addsSpace">Put a space before the first word.</param>
/// <param name="mergesSpaces">Leave one space of several, none at the end, and put one before every word.</param>
internal sealed class SentencePieceNormalizer(CharacterMap? map, bool addsSpace, bool mergesSpaces) : Normalizer
{
    private const string Space = "▁";

    public override TextPiece Normalize(in TextPiece piece)
    {
        ReadOnlySpan<char> text = piece.Span;
        ReadOnlySpan<byte> bytes = Encoding.UTF8.GetBytes(piece.Text, piece.Start, piece.Length);
        PieceBuilder builder = new(piece);
        bool isInWord = false;
        bool needsSpace = addsSpace;
        int? spaceOrigin = null;
        for (int at = 0, units; at < text.Length; at += units)
        {
            CodePoints.At(text, at, out units);
            ReadOnlySpan<char> replacement = text.Slice(at, units);
            int length = Encoding.UTF8.GetByteCount(replacement);
            if (map?.FindLongest(bytes, out int found) is { } mapped && (found == bytes.Length || IsStart(bytes[found])))
            {
                replacement = mapped;
                length = found;
                units = Encoding.UTF8.GetCharCount(bytes[..found]);
            }

            bytes = bytes[length..];
            int origin = builder.OriginAt(at);
            foreach (char c in replacement)
            {
                if (c == ' ')
                {
                    isInWord = false;
                    spaceOrigin = origin;
                    builder.Add(mergesSpaces ? "" : Space, origin);
                    continue;
                }

                if (!isInWord && (needsSpace || mergesSpaces))
                {
                    // It stands for the space that was there, or else for nothing of its own.
                    builder.Add(Space, spaceOrigin ?? origin);
                    needsSpace = false;
                }

                isInWord = true;
                builder.Add([c], origin);
            }
        }

        return builder.Build();
    }

    /// <summary>Whether a byte of UTF-8 starts a character.</summary>
    private static bool IsStart(byte value) => (value & 0xC0) != 0x80;
}
