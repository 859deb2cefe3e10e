using System.Globalization;

namespace LoraServe.Tokenization.Text;

/// <summary>Unicode as Hugging Face's library knows it where it brings tables of its own, of versions 8 and 9: a newer character has no script and no category.</summary>
/// <remarks>
/// The code points that are named one by one had another category then. What its regular expressions and the Rust language say of characters is newer; the runtime's tables stand for that.
/// </remarks>
internal sealed class LibraryUnicode
{
    /// <summary>Stands for no script: the code point is not assigned.</summary>
    public const int NoScript = 0;

    private static readonly Lazy<LibraryUnicode> s_instance = new(() => new LibraryUnicode());

    private readonly List<string> _scripts = [""];
    private readonly int[] _starts;
    private readonly (int End, int Script, int Version)[] _ranges;

    private LibraryUnicode()
    {
        using Stream stream = typeof(LibraryUnicode).Assembly.GetManifestResourceStream("UnicodeScripts.txt")!;
        using StreamReader reader = new(stream);
        List<(int Start, int End, int Script, int Version)> ranges = [];
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
            {
                continue;
            }

            string[] fields = line.Split(' ');
            if (!_scripts.Contains(fields[0]))
            {
                _scripts.Add(fields[0]);
            }

            foreach (string field in fields.Skip(2))
            {
                string[] ends = field.Split('-');
                ranges.Add((Hex(ends[0]), Hex(ends[^1]), _scripts.IndexOf(fields[0]), int.Parse(fields[1], CultureInfo.InvariantCulture)));
            }
        }

        ranges.Sort();
        _starts = [.. ranges.Select(range => range.Start)];
        _ranges = [.. ranges.Select(range => (range.End, range.Script, range.Version))];
    }

    /// <summary>The number of a code point's script, or <see cref="NoScript"/>.</summary>
    public static int ScriptOf(int codePoint) => s_instance.Value.Find(codePoint).Script;

    /// <summary>The number of a script by its name.</summary>
    public static int ScriptNamed(string name) => s_instance.Value._scripts.IndexOf(name);

    /// <summary>Punctuation of any kind, and all of ASCII's symbols.</summary>
    public static bool IsPunctuation(int codePoint) =>
        codePoint is 0x166D or 0x111C9 || (CodePoints.IsPunctuation(codePoint) && IsInVersion(8, codePoint));

    /// <summary>Control, format or private: Cc, Cf or Co.</summary>
    public static bool IsOther(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        UnicodeCategory.Control or UnicodeCategory.PrivateUse => true,
        UnicodeCategory.Format => IsInVersion(8, codePoint),
        _ => false,
    };

    /// <summary>A mark that takes no place of its own: Mn.</summary>
    public static bool IsNonSpacingMark(int codePoint) =>
        codePoint is 0x1734 or 0x1171E
        || (CharUnicodeInfo.GetUnicodeCategory(codePoint) == UnicodeCategory.NonSpacingMark && codePoint is not (0x1885 or 0x1886 or 0xA9BD or 0x111C9) && IsInVersion(8, codePoint));

    /// <summary>A mark of any kind: Mn, Mc or Me.</summary>
    public static bool IsMark(int codePoint) =>
        codePoint is 0x1CF2 or 0x1CF3
        || (CharUnicodeInfo.GetUnicodeCategory(codePoint) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
            && codePoint != 0x111C9 && IsInVersion(9, codePoint));

    private static bool IsInVersion(int version, int codePoint) => s_instance.Value.Find(codePoint) is { Version: > 0 and var since } && since <= version;

    private (int Script, int Version) Find(int codePoint)
    {
        int at = Array.BinarySearch(_starts, codePoint);
        at = at < 0 ? ~at - 1 : at;
        return at >= 0 && codePoint <= _ranges[at].End ? (_ranges[at].Script, _ranges[at].Version) : (NoScript, 0);
    }

    private static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
