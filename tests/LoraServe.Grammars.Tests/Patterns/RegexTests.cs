using System.Text;
using System.Text.RegularExpressions;
using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Tests.Patterns;

/// <summary>Regular expressions, beside the ones of .NET in ECMAScript's mode.</summary>
public sealed class RegexTests
{
    [Theory]
    [InlineData("a|b|", new[] { "a", "b", "" }, new[] { "ab", "c" })]
    [InlineData("^[A-Z][a-z]+, \\d{3}$", new[] { "Ab, 123" }, new[] { "ab, 123", "Ab, 12", "Ab, 1234" })]
    [InlineData("(?:ab)*c{2,}", new[] { "cc", "ababccc" }, new[] { "c", "abc", "aab" })]
    [InlineData("[^a-c\\s]", new[] { "d", "é", "😀" }, new[] { "a", " ", "\u00A0", "" })]
    [InlineData("[€-😀]", new[] { "€", "\uFFFD", "😀" }, new[] { "a", "😁", "\u07FF" })]
    [InlineData("\\u00e9\\x41\\u{1F600}\\uD83D\\uDE00", new[] { "éA😀😀" }, new[] { "éA" })]
    [InlineData("[\\]\\-x]{1}", new[] { "]", "-", "x" }, new[] { "\\" })]
    [InlineData("(?<year>\\d{4})-(\\d\\d)??", new[] { "2024-", "2024-05" }, new[] { "2024", "2024-5" })]
    [InlineData("a{,2}{x}", new[] { "a{,2}{x}" }, new[] { "a" })]
    [InlineData("{a{1,2,3}{1,x}{2", new[] { "{a{1,2,3}{1,x}{2" }, new[] { "a", "aa" })]
    [InlineData(".", new[] { "a", "é", "日", "😀" }, new[] { "\n", "", "aa" })]
    [InlineData("(a*)*b", new[] { "b", "aaab" }, new[] { "a" })]
    [InlineData("\\Ax\\z", new[] { "x" }, new[] { "xx" })]
    public void FromRegex_Pattern_HasTheTextsThatItMatches(string pattern, string[] matched, string[] others)
    {
        var grammar = Grammar.FromRegex(pattern);

        Texts.AssertHas(grammar, matched);
        Texts.AssertLacks(grammar, others);
    }

    [Theory]
    [InlineData("a(?=b)", "character 2: '(?=' looks ahead")]
    [InlineData("(?<!b)a", "looks behind")]
    [InlineData("(a)\\1", "character 4: '\\1' refers to what a group matched")]
    [InlineData("\\k<a>", "refers to")]
    [InlineData("a\\b", "border of a word")]
    [InlineData("a$b", "something follows an anchor")]
    [InlineData("(^a)", "anchors can stand at the ends only")]
    [InlineData("a*+", "possessive")]
    [InlineData("a**", "two quantifiers")]
    [InlineData("*a", "nothing to repeat")]
    [InlineData("(a", "'(' has no ')'")]
    [InlineData("a)", "has no '('")]
    [InlineData("[a", "'[' has no ']'")]
    [InlineData("[b-a]", "wrong order")]
    [InlineData("a{3,2}", "more often at least")]
    [InlineData("a{1000000}", "at most 100000")]
    [InlineData("\\p{L}", "property of characters")]
    [InlineData("(?i)a", "'(?i)' is not supported")]
    [InlineData("\\", "backslash at the end")]
    [InlineData("[^\\s\\S]", "no text satisfies it")]
    [InlineData("\\u{110000}", "no such character")]
    public void FromRegex_NotSupported_IsRefusedByNameAndPlace(string pattern, string expected)
    {
        GrammarException error = Assert.Throws<GrammarException>(() => Grammar.FromRegex(pattern));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("regular expression", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("(((((a{99}){99}){99}){99}){99}){99}")]
    [InlineData("((((a?){99}){99}){99}){99}")]
    [InlineData("(){100000}{3}|((){100000}){100000}")]
    [InlineData("(.{1000}|.{999}){500}")]
    public void FromRegex_Bomb_IsRefused(string pattern) => Assert.Throws<GrammarException>(() => Grammar.FromRegex(pattern));

    /// <summary>What a table of all states could not hold: here a state is made when a text comes to it.</summary>
    [Theory]
    [InlineData("(a|b)*a(a|b){300}")]
    [InlineData("(a*)*(a|aa)*(a|a?)+b")]
    [InlineData("(x+x+)+y")]
    public void FromRegex_ExponentialForOthers_CostsLittle(string pattern)
    {
        GrammarMatcher matcher = Grammar.FromRegex(pattern).Compile(Vocabularies.Bytes).CreateMatcher();
        char letter = pattern.Contains('x', StringComparison.Ordinal) ? 'x' : 'a';
        for (int i = 0; i < 300; i++)
        {
            Assert.True(matcher.TryAccept(letter));
            _ = matcher.AllowedTokens();
        }
    }

    /// <summary>What is read once for each character takes no more for having read others before: such a pattern took minutes.</summary>
    [Fact]
    public void FromRegex_ManyCharactersAndBraces_AreReadOnce()
    {
        string characters = string.Concat(Enumerable.Range(0, 10_000).Select(i => (char)(0x4E00 + (2 * i))));
        string braces = new('{', 100_000);

        Texts.AssertHas(Grammar.FromRegex($"[{characters}]"), characters[..1], characters[^1..]);
        Texts.AssertLacks(Grammar.FromRegex($"[{characters}]"), "\u4E01", "a");
        Assert.Contains("two quantifiers", Assert.Throws<GrammarException>(() => Grammar.FromRegex($"{braces}}}a**")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromRegex_RandomPatterns_AgreeWithRegex()
    {
        Random random = new(7);
        for (int i = 0; i < 400; i++)
        {
            string pattern = RandomPattern(random, 4);
            CompiledGrammar grammar = Grammar.FromRegex(pattern).Compile(Vocabularies.Bytes);
            Regex expected = new($@"\A(?:{pattern})\z", RegexOptions.ECMAScript, TimeSpan.FromSeconds(5));
            if (new RandomModel(random).Answer(grammar, []) is { } bytes && Encoding.UTF8.GetString(bytes) is var answer && !answer.Any(char.IsSurrogate))
            {
                Assert.True(expected.IsMatch(answer), $"{pattern} has not '{answer}'");
            }

            for (int j = 0; j < 20; j++)
            {
                string text = string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => "abc1 é\n_"[random.Next(8)]));
                GrammarMatcher matcher = grammar.CreateMatcher();
                bool has = Encoding.UTF8.GetBytes(text).All(value => matcher.TryAccept(value)) && matcher.CanEnd;
                Assert.True(expected.IsMatch(text) == has, $"{pattern} on '{text}': {has}");
            }
        }
    }

    private static string RandomPattern(Random random, int depth) => random.Next(depth > 0 ? 9 : 5) switch
    {
        0 => "abc1é"[random.Next(5)].ToString(),
        1 => new[] { "[ab]", "[^a]", "[a-c1]", "[^\\d_]" }[random.Next(4)],
        2 => new[] { "\\d", "\\w", "\\S", "\\D", "\\W", "." }[random.Next(6)],
        3 => "é",
        4 => "a1",
        5 => $"(?:{RandomPattern(random, depth - 1)}|{RandomPattern(random, depth - 1)})",
        6 => $"(?:{RandomPattern(random, depth - 1)}){new[] { "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{1,}" }[random.Next(7)]}",
        _ => RandomPattern(random, depth - 1) + RandomPattern(random, depth - 1),
    };
}
