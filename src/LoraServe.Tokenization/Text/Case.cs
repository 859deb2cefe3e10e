using System.Text;

namespace LoraServe.Tokenization.Text;

/// <summary>Unicode's simple case mappings, independent of culture.</summary>
internal static class Case
{
    public static int ToLower(int codePoint) =>
        Rune.IsValid(codePoint) ? Rune.ToLowerInvariant(new Rune(codePoint)).Value : codePoint;

    public static int ToUpper(int codePoint) =>
        Rune.IsValid(codePoint) ? Rune.ToUpperInvariant(new Rune(codePoint)).Value : codePoint;
}
