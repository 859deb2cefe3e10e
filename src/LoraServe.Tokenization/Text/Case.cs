using System.Text;

namespace LoraServe.Tokenization.Text;

/// <summary>Unicode's simple case mappings, independent of culture.</summary>
internal static class Case
{
    private const int LongS = 0x17F;
    private const int KelvinSign = 0x212A;

    public static int ToLower(int codePoint) => codePoint switch
    {
        // The runtime keeps the mappings that lead into ASCII from elsewhere to itself.
        KelvinSign => 'k',
        _ => Rune.IsValid(codePoint) ? Rune.ToLowerInvariant(new Rune(codePoint)).Value : codePoint,
    };

    public static int ToUpper(int codePoint) => codePoint switch
    {
        LongS => 'S',
        _ => Rune.IsValid(codePoint) ? Rune.ToUpperInvariant(new Rune(codePoint)).Value : codePoint,
    };
}
