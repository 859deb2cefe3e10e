using System.Globalization;

namespace LoraServe.Tokenization.Normalizers;

/// <summary>Decompositions, compositions and combining classes, read from the embedded table when first needed.</summary>
/// <remarks>The runtime's own normalization does nothing in invariant globalization mode, which this product runs in.</remarks>
internal sealed class UnicodeTables
{
    private static readonly Lazy<UnicodeTables> s_instance = new(() => new UnicodeTables());

    private readonly Dictionary<int, (int[] Parts, bool IsCanonical)> _decompositions = [];
    private readonly Dictionary<(int First, int Second), int> _compositions = [];
    private readonly Dictionary<int, byte> _classes = [];

    private UnicodeTables()
    {
        using Stream stream = typeof(UnicodeTables).Assembly.GetManifestResourceStream("UnicodeDecompositions.txt")!;
        using StreamReader reader = new(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
            {
                continue;
            }

            string[] fields = line.Split(' ');
            if (fields[0] == "M")
            {
                for (int codePoint = Hex(fields[1]); codePoint <= Hex(fields[2]); codePoint++)
                {
                    _classes[codePoint] = byte.Parse(fields[3], CultureInfo.InvariantCulture);
                }

                continue;
            }

            int[] parts = [.. fields.Skip(2).Select(Hex)];
            _decompositions[Hex(fields[1])] = (parts, fields[0] != "K");
            if (fields[0] == "C" && parts.Length == 2)
            {
                _compositions[(parts[0], parts[1])] = Hex(fields[1]);
            }
        }
    }

    public static UnicodeTables Instance => s_instance.Value;

    /// <summary>How a code point decomposes, one step deep; null where it does not.</summary>
    public int[]? Decompose(int codePoint, bool compatibility) =>
        _decompositions.TryGetValue(codePoint, out (int[] Parts, bool IsCanonical) entry) && (compatibility || entry.IsCanonical)
            ? entry.Parts
            : null;

    /// <summary>What two code points compose to, or -1.</summary>
    public int Compose(int first, int second) => _compositions.GetValueOrDefault((first, second), -1);

    /// <summary>The canonical combining class; 0 for a starter.</summary>
    public byte CombiningClass(int codePoint) => codePoint < 0x300 ? (byte)0 : _classes.GetValueOrDefault(codePoint);

    private static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
