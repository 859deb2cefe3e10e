using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>SentencePiece's compiled normalization: texts and what they become, in a double array of UTF-8 bytes (Darts).</summary>
/// <remarks>
/// A unit of the array has in bits 0 to 7 and 31 its label, in bit 8 whether a text ends there, in bits 10 to 30 where its children are, eight bits
/// further where bit 9 is set. Where a text ends, the first child's 31 bits say at which byte of the replacements, which end with NUL, its own begins.
/// </remarks>
internal sealed class CharacterMap
{
    /// <summary>A longer replacement would let a small text become a large one; the longest of the maps that models have takes 33 bytes.</summary>
    private const int LongestReplacement = 256;

    /// <summary>A damaged array may lead in circles; the longest text of the maps that models have takes 11 bytes.</summary>
    private const int LongestText = 64;

    private const uint LabelBits = 0x8000_00FF;
    private const uint EndBit = 1 << 8;
    private const uint FarBit = 1 << 9;
    private const uint ValueBits = 0x7FFF_FFFF;

    private readonly uint[] _units;
    private readonly byte[] _replacements;

    private CharacterMap(uint[] units, byte[] replacements)
    {
        _units = units;
        _replacements = replacements;
    }

    /// <summary>Reads a map: the size of the array in bytes, the array, the replacements.</summary>
    /// <exception cref="FormatException">It is damaged; the message says how.</exception>
    public static CharacterMap Parse(ReadOnlySpan<byte> map)
    {
        long size = map.Length < sizeof(uint) ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(map);
        if (size == 0 || size % sizeof(uint) != 0 || size > map.Length - sizeof(uint))
        {
            throw new FormatException($"the character map has {map.Length} bytes and says that its array has {size}; expected a multiple of 4, at most {Math.Max(map.Length - sizeof(uint), 0)}");
        }

        uint[] units = new uint[size / sizeof(uint)];
        for (int i = 0; i < units.Length; i++)
        {
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(map[(sizeof(uint) * (i + 1))..]);
        }

        ReadOnlySpan<byte> replacements = map[(sizeof(uint) + (int)size)..];
        if (!Utf8.IsValid(replacements))
        {
            throw new FormatException("the character map's replacements are not UTF-8");
        }

        for (ReadOnlySpan<byte> rest = replacements; rest.Length > LongestReplacement; rest = rest[(rest.IndexOf((byte)0) + 1)..])
        {
            if (rest.IndexOf((byte)0) is < 0 or > LongestReplacement)
            {
                throw new FormatException($"the character map has a replacement of more than {LongestReplacement} bytes");
            }
        }

        return new CharacterMap(units, replacements.ToArray());
    }

    /// <summary>What the shortest text of the map becomes that a text begins with, or null where none does.</summary>
    /// <param name="text">The text as UTF-8.</param>
    public string? FindShortest(ReadOnlySpan<byte> text) => Find(text, isLongest: false, out _);

    /// <summary>What the longest text of the map becomes that a text begins with, or null where none does.</summary>
    /// <param name="text">The text as UTF-8.</param>
    /// <param name="length">How many bytes of the text it replaces.</param>
    public string? FindLongest(ReadOnlySpan<byte> text, out int length) => Find(text, isLongest: true, out length);

    private string? Find(ReadOnlySpan<byte> text, bool isLongest, out int length)
    {
        length = 0;
        long found = -1;
        uint at = ChildrenOf(_units[0]);
        for (int i = 0; i < Math.Min(text.Length, LongestText) && text[i] != 0 && (isLongest || found < 0); i++)
        {
            at ^= text[i];
            if (at >= _units.Length || (_units[at] & LabelBits) != text[i])
            {
                break;
            }

            uint unit = _units[at];
            at ^= ChildrenOf(unit);
            if ((unit & EndBit) != 0 && at < _units.Length)
            {
                found = _units[at] & ValueBits;
                length = i + 1;
            }
        }

        if (found < 0 || found > _replacements.Length)
        {
            return null;
        }

        ReadOnlySpan<byte> replacement = _replacements.AsSpan((int)found);
        int end = replacement.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? replacement : replacement[..end]);
    }

    private static uint ChildrenOf(uint unit) => (unit >> 10) << ((unit & FarBit) != 0 ? 8 : 0);
}
