using System.Buffers;
using System.Globalization;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Store.Names;

/// <summary>Names of adapters and aliases. They become parts of paths, so they cannot hold what a path could be made of.</summary>
internal static class AdapterName
{
    private const int MaxLength = 128;
    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <summary>Refuses what cannot be a name.</summary>
    public static void Check(string name)
    {
        if (name.Length is 0 or > MaxLength || name.AsSpan().ContainsAnyExcept(s_allowed) || !char.IsAsciiLetterOrDigit(name[0]) || name.Contains("..", StringComparison.Ordinal))
        {
            throw new EngineException(
                EngineError.InvalidAdapterName,
                $"'{Shown(name)}' cannot be an adapter's name. Use 1 to {MaxLength} letters, digits, '-', '_' and single '.', beginning with a letter or digit.");
        }
    }

    /// <summary>Splits <c>name@3</c>; version 0 is none.</summary>
    public static (string Name, int Version) Split(string reference)
    {
        int at = reference.IndexOf('@');
        if (at < 0)
        {
            Check(reference);
            return (reference, 0);
        }

        string name = reference[..at];
        Check(name);
        return int.TryParse(reference.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int version) && version > 0
            ? (name, version)
            : throw new EngineException(EngineError.InvalidAdapterName, $"'{Shown(reference)}' has no version after '@'. Write name@3, or the name alone for the latest.");
    }

    // What a stranger sent is shown short and without control characters.
    private static string Shown(string text) =>
        string.Concat(text.Take(MaxLength).Select(letter => char.IsControl(letter) || char.IsSurrogate(letter) ? '?' : letter));
}
