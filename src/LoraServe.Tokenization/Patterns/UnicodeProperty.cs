using System.Collections.Concurrent;
using System.Globalization;

namespace LoraServe.Tokenization.Patterns;

/// <summary>The named sets of code points that a regular expression can use: general categories, common properties, scripts.</summary>
internal static class UnicodeProperty
{
    // A set fills its pages as it is asked; all expressions share them. Names that are not known are not kept.
    private static readonly ConcurrentDictionary<string, CodePointSet> s_sets = [];

    /// <summary>The set of a name, or null where it is not known. Case, spaces, hyphens and underscores do not matter.</summary>
    public static CodePointSet? TryGet(string name)
    {
        string key = Key(name);
        foreach (string prefix in (ReadOnlySpan<string>)["script=", "sc=", "generalcategory=", "gc="])
        {
            key = key.StartsWith(prefix, StringComparison.Ordinal) ? key[prefix.Length..] : key;
        }

        if (!s_sets.TryGetValue(key, out CodePointSet? set) && (set = Create(key)) is not null)
        {
            s_sets.TryAdd(key, set);
        }

        return set;
    }

    private static CodePointSet Known(string key) => TryGet(key)!;

    private static string Key(string name) =>
        name.Replace(" ", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();

    private static CodePointSet? Create(string key) => key switch
    {
        "l" or "letter" => CodePointSet.Categories(UnicodeCategory.UppercaseLetter, UnicodeCategory.OtherLetter),
        "lu" or "uppercaseletter" => CodePointSet.Categories(UnicodeCategory.UppercaseLetter, UnicodeCategory.UppercaseLetter),
        "ll" or "lowercaseletter" => CodePointSet.Categories(UnicodeCategory.LowercaseLetter, UnicodeCategory.LowercaseLetter),
        "lt" or "titlecaseletter" => CodePointSet.Categories(UnicodeCategory.TitlecaseLetter, UnicodeCategory.TitlecaseLetter),
        "lc" or "casedletter" => CodePointSet.Categories(UnicodeCategory.UppercaseLetter, UnicodeCategory.TitlecaseLetter),
        "lm" or "modifierletter" => CodePointSet.Categories(UnicodeCategory.ModifierLetter, UnicodeCategory.ModifierLetter),
        "lo" or "otherletter" => CodePointSet.Categories(UnicodeCategory.OtherLetter, UnicodeCategory.OtherLetter),
        "m" or "mark" or "combiningmark" => CodePointSet.Categories(UnicodeCategory.NonSpacingMark, UnicodeCategory.EnclosingMark),
        "mn" or "nonspacingmark" => CodePointSet.Categories(UnicodeCategory.NonSpacingMark, UnicodeCategory.NonSpacingMark),
        "mc" or "spacingmark" => CodePointSet.Categories(UnicodeCategory.SpacingCombiningMark, UnicodeCategory.SpacingCombiningMark),
        "me" or "enclosingmark" => CodePointSet.Categories(UnicodeCategory.EnclosingMark, UnicodeCategory.EnclosingMark),
        "n" or "number" => CodePointSet.Categories(UnicodeCategory.DecimalDigitNumber, UnicodeCategory.OtherNumber),
        "nd" or "decimalnumber" or "digit" => CodePointSet.Categories(UnicodeCategory.DecimalDigitNumber, UnicodeCategory.DecimalDigitNumber),
        "nl" or "letternumber" => CodePointSet.Categories(UnicodeCategory.LetterNumber, UnicodeCategory.LetterNumber),
        "no" or "othernumber" => CodePointSet.Categories(UnicodeCategory.OtherNumber, UnicodeCategory.OtherNumber),
        "z" or "separator" => CodePointSet.Categories(UnicodeCategory.SpaceSeparator, UnicodeCategory.ParagraphSeparator),
        "zs" or "spaceseparator" => CodePointSet.Categories(UnicodeCategory.SpaceSeparator, UnicodeCategory.SpaceSeparator),
        "zl" or "lineseparator" => CodePointSet.Categories(UnicodeCategory.LineSeparator, UnicodeCategory.LineSeparator),
        "zp" or "paragraphseparator" => CodePointSet.Categories(UnicodeCategory.ParagraphSeparator, UnicodeCategory.ParagraphSeparator),
        "cc" or "control" or "cntrl" => CodePointSet.Categories(UnicodeCategory.Control, UnicodeCategory.Control),
        "cf" or "format" => CodePointSet.Categories(UnicodeCategory.Format, UnicodeCategory.Format),
        "cs" or "surrogate" => CodePointSet.Categories(UnicodeCategory.Surrogate, UnicodeCategory.Surrogate),
        "co" or "privateuse" => CodePointSet.Categories(UnicodeCategory.PrivateUse, UnicodeCategory.PrivateUse),
        "cn" or "unassigned" => CodePointSet.Categories(UnicodeCategory.OtherNotAssigned, UnicodeCategory.OtherNotAssigned),
        "p" or "punctuation" => CodePointSet.Categories(UnicodeCategory.ConnectorPunctuation, UnicodeCategory.OtherPunctuation),
        "pc" or "connectorpunctuation" => CodePointSet.Categories(UnicodeCategory.ConnectorPunctuation, UnicodeCategory.ConnectorPunctuation),
        "pd" or "dashpunctuation" => CodePointSet.Categories(UnicodeCategory.DashPunctuation, UnicodeCategory.DashPunctuation),
        "ps" or "openpunctuation" => CodePointSet.Categories(UnicodeCategory.OpenPunctuation, UnicodeCategory.OpenPunctuation),
        "pe" or "closepunctuation" => CodePointSet.Categories(UnicodeCategory.ClosePunctuation, UnicodeCategory.ClosePunctuation),
        "pi" or "initialpunctuation" => CodePointSet.Categories(UnicodeCategory.InitialQuotePunctuation, UnicodeCategory.InitialQuotePunctuation),
        "pf" or "finalpunctuation" => CodePointSet.Categories(UnicodeCategory.FinalQuotePunctuation, UnicodeCategory.FinalQuotePunctuation),
        "po" or "otherpunctuation" => CodePointSet.Categories(UnicodeCategory.OtherPunctuation, UnicodeCategory.OtherPunctuation),
        "s" or "symbol" => CodePointSet.Categories(UnicodeCategory.MathSymbol, UnicodeCategory.OtherSymbol),
        "sm" or "mathsymbol" => CodePointSet.Categories(UnicodeCategory.MathSymbol, UnicodeCategory.MathSymbol),
        "sc" or "currencysymbol" => CodePointSet.Categories(UnicodeCategory.CurrencySymbol, UnicodeCategory.CurrencySymbol),
        "sk" or "modifiersymbol" => CodePointSet.Categories(UnicodeCategory.ModifierSymbol, UnicodeCategory.ModifierSymbol),
        "so" or "othersymbol" => CodePointSet.Categories(UnicodeCategory.OtherSymbol, UnicodeCategory.OtherSymbol),
        "c" or "other" => CodePointSet.Union(
            [CodePointSet.Categories(UnicodeCategory.Control, UnicodeCategory.PrivateUse), CodePointSet.Categories(UnicodeCategory.OtherNotAssigned, UnicodeCategory.OtherNotAssigned)]),
        "any" => CodePointSet.Any,
        "ascii" => CodePointSet.Range(0, 0x7F),
        "assigned" => Known("cn").Complement(),
        "space" or "whitespace" => CodePointSet.Space,
        "blank" => CodePointSet.Union([Known("zs"), CodePointSet.Single('\t')]),
        "word" => CodePointSet.Word,
        "alpha" or "alphabetic" => CodePointSet.Word.And(CodePointSet.Union([Known("nd"), Known("pc")]).Complement()),
        "alnum" => CodePointSet.Word.And(Known("pc").Complement()),
        "lower" or "lowercase" => Known("ll"),
        "upper" or "uppercase" => Known("lu"),
        "punct" => CodePointSet.Where(Text.CodePoints.IsPunctuation),
        "xdigit" => CodePointSet.HexDigit,
        "graph" => CodePointSet.Union([CodePointSet.Space, Known("cc"), Known("cs"), Known("cn")]).Complement(),
        "print" => CodePointSet.Union([Known("graph"), Known("zs")]),
        _ => UnicodeScript.Find(key),
    };
}
