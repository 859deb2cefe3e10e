using FsCheck;
using FsCheck.Fluent;
using LoraServe.Tokenization.Patterns;
using LoraServe.Tokenization.PreTokenizers;

namespace LoraServe.Tokenization.Tests.PreTokenizers;

public class Gpt2WordsTests
{
    private static readonly Pattern s_pattern = Pattern.Parse(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+");

    [Fact]
    public void End_AnyText_CutsAsTheExpressionDoes()
    {
        string[] parts = ["a", "The", " ", "  ", "\n", "\t", "'", "s", "t", "re", "ve", "ll", "d", "m", "'S", "12", "é", "e\u0301", "日本", "𝒳", "👩‍🚀", "\u00A0", "\u3000", "_", "...", "١", "½", "Ⅷ", "\u200B", "\u0085"];
        Gen<string> known = Gen.Elements(parts).ListOf().Select(list => string.Concat(list));
        Gen<string> any = ArbMap.Default.GeneratorFor<string>().Where(text => text is not null && !text.Any(char.IsSurrogate));
        Prop.ForAll(Gen.OneOf(known, any).ToArbitrary(), text => Words(text).SequenceEqual(Matches(text)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Theory]
    [InlineData("It's we'll'd'x", "It|'s| we|'ll|'d|'|x")]
    [InlineData(" 's  a", " '|s| | a")]
    [InlineData("a\n b \n", "a|\n| b| \n")]
    public void End_KnownText_CutsIntoWords(string text, string expected) => Assert.Equal(expected, string.Join('|', Words(text)));

    private static List<string> Words(string text)
    {
        List<string> words = [];
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = Gpt2Words.End(text, start);
            words.Add(text[start..end]);
        }

        return words;
    }

    private static List<string> Matches(string text)
    {
        List<string> words = [];
        PatternScan scan = new(new PatternMatcher(s_pattern), text);
        while (scan.MoveNext(out int start, out int end, out _))
        {
            words.Add(text[start..end]);
        }

        return words;
    }
}
