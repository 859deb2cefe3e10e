using System.Globalization;
using System.Text;

namespace LoraServe.Templates.Text;

/// <summary>Upper, lower and title case with Unicode's full mappings, as Python does them.</summary>
internal static class Casing
{
    public static string Upper(string text)
    {
        string simple = text.ToUpperInvariant();
        if (!simple.Any(SpecialCasing.Upper.ContainsKey))
        {
            return simple;
        }

        StringBuilder result = new(simple.Length + 8);
        foreach (char c in simple)
        {
            result.Append(SpecialCasing.Upper.TryGetValue(c, out string? special) ? special : c.ToString());
        }

        return result.ToString();
    }

    public static string Lower(string text)
    {
        string simple = text.ToLowerInvariant();
        if (!text.Contains('\u0130') && !text.Contains('Σ'))
        {
            return simple;
        }

        StringBuilder result = new(simple.Length + 8);
        for (int i = 0; i < text.Length; i++)
        {
            result.Append(text[i] switch
            {
                '\u0130' => "i\u0307",
                'Σ' when IsFinal(text, i) => "ς",
                _ => simple[i].ToString(),
            });
        }

        return result.ToString();
    }

    /// <summary>First character upper, the rest lower: str.capitalize.</summary>
    public static string Capitalize(string text)
    {
        string? first = PythonText.Characters(text).FirstOrDefault();
        return first is null ? "" : TitleOf(first) + Lower(text[first.Length..]);
    }

    /// <summary>Every word capitalised, where a word is a run of letters: str.title.</summary>
    public static string Title(string text)
    {
        StringBuilder result = new(text.Length);
        bool insideWord = false;
        foreach (string character in PythonText.Characters(text))
        {
            result.Append(insideWord ? Lower(character) : TitleOf(character));
            insideWord = IsCased(character);
        }

        return result.ToString();
    }

    public static string Swap(string text) =>
        string.Concat(PythonText.Characters(text).Select(c => IsUpper(c) ? Lower(c) : Upper(c)));

    public static bool IsUpper(string character) => PythonText.CategoryOf(character) == UnicodeCategory.UppercaseLetter;

    public static bool IsLower(string character) => PythonText.CategoryOf(character) == UnicodeCategory.LowercaseLetter;

    public static bool IsCased(string character) =>
        IsUpper(character) || IsLower(character) || PythonText.CategoryOf(character) == UnicodeCategory.TitlecaseLetter;

    /// <summary>str.islower and str.isupper: some letter has the case and none the other.</summary>
    public static bool IsCase(string text, Func<string, bool> wanted, Func<string, bool> unwanted) =>
        PythonText.Characters(text).Any(wanted) && !PythonText.Characters(text).Any(unwanted);

    private static string TitleOf(string character)
    {
        string upper = Upper(character);
        return upper.Length > character.Length ? upper[..1] + Lower(upper[1..]) : upper;
    }

    // A sigma is final after a letter and before none.
    private static bool IsFinal(string text, int i) =>
        i > 0 && char.IsLetter(text[i - 1]) && (i + 1 == text.Length || !char.IsLetter(text[i + 1]));
}
