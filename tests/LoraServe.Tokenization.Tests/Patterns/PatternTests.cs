using LoraServe.Tokenization.Patterns;

namespace LoraServe.Tokenization.Tests.Patterns;

public class PatternTests
{
    [Theory]
    [InlineData("a+", "caat", "aa")]
    [InlineData("a+?", "caat", "a|a")]
    [InlineData("(?:ab|a)(?:c|bc)", "abc", "abc")]
    [InlineData(@"\s+(?!\S)", "a   b", "  ")]
    [InlineData(@"(?<=\d)x", "1x x", "x")]
    [InlineData(@"(?<!\d)x", "1x x", "x")]
    [InlineData("(?i:'s|'t)", "'S 't", "'S|'t")]
    [InlineData("(?i:'s|'t)", "'\u017F 's", "'\u017F|'s")]
    [InlineData("(?i)[k]", "kK\u212Ax", "k|K|\u212A")]
    [InlineData("(?i)i", "iI\u0131", "i|I")]
    [InlineData("(?>a*)ab", "aaab", "")]
    [InlineData("a*+b", "aaab", "aaab")]
    [InlineData("a{2,3}", "aaaaa", "aaa|aa")]
    [InlineData(@"\p{N}{1,3}", "12345", "123|45")]
    [InlineData(@"\p{L}+", "𝒳𐐷a-b", "𝒳𐐷a|b")]
    [InlineData(@"\p{Lu}", "a𐐀B", "𐐀|B")]
    [InlineData(@"[^\s\p{L}]+", "a👍🏽 b!", "👍🏽|!")]
    [InlineData(@"[\p{Han}&&[^一]]+", "一二三x", "二三")]
    [InlineData(@"[a-c\]\-]+", "xb]-d", "b]-")]
    [InlineData(@"\x{1F44D}|\u0041", "A👍", "A|👍")]
    [InlineData("^b$", "a\nb\nc", "b")]
    [InlineData(@"\bfoo\b", "foo food", "foo")]
    [InlineData("(?:a*)*b", "aab", "aab")]
    [InlineData("(?:)", "ab", "||")]
    public void TryFind_Expression_FindsWhatOnigurumaFinds(string expression, string text, string expected) =>
        Assert.Equal(expected, string.Join('|', Matches(Pattern.Parse(expression), text)));

    [Theory]
    [InlineData("(a", "never closed")]
    [InlineData("a)", "unmatched")]
    [InlineData("[a", "never closed")]
    [InlineData("*a", "nothing to repeat")]
    [InlineData(@"(a)\1", "not supported")]
    [InlineData(@"\p{Nonsense}", "Nonsense")]
    [InlineData("(?<=a+)b", "fixed width")]
    [InlineData("a{5,2}", "wrong way round")]
    [InlineData("[b-a]", "wrong way round")]
    [InlineData("a{100000}", "repetitions")]
    [InlineData("((a{900}){900}){900}", "instructions")]
    [InlineData(@"\", "ends the expression")]
    public void Parse_DamagedExpression_SaysWhy(string expression, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => Pattern.Parse(expression)).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_DeepNesting_IsRefused() =>
        Assert.Throws<FormatException>(() => Pattern.Parse(new string('(', 100_000)));

    [Theory]
    [InlineData("(?:a+)+b")]
    [InlineData("(?:a|a)*b")]
    [InlineData("(?:a*)*b")]
    [InlineData("a+b")]
    [InlineData("(?=a*c)b")]
    [InlineData("(?>a+)b")]
    [InlineData(@"(?:\w+\s?)+!")]
    public void TryFind_ExpressionThatInvitesBacktracking_EndsInTimeLinearInTheText(string expression) =>
        Assert.Empty(Matches(Pattern.Parse(expression), new string('a', 50_000)));

    [Fact]
    public void TryFind_LookAheadThatSucceedsEverywhere_EndsInTimeLinearInTheText() =>
        Assert.Equal(20_000, Matches(Pattern.Parse("a(?=a*c)"), new string('a', 20_000) + "c").Count);

    private static List<string> Matches(Pattern pattern, string text)
    {
        List<string> matches = [];
        PatternScan scan = new(new PatternMatcher(pattern), text);
        while (scan.MoveNext(out int start, out int end, out bool isMatch))
        {
            if (isMatch)
            {
                matches.Add(text[start..end]);
            }
        }

        return matches;
    }
}
