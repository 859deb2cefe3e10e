using System.Text;

namespace LoraServe.Grammars.Tests;

/// <summary>What texts a grammar has, byte by byte.</summary>
internal static class Texts
{
    public static bool Has(Grammar grammar, string text)
    {
        GrammarMatcher matcher = grammar.Compile(Vocabularies.Bytes).CreateMatcher();
        return Encoding.UTF8.GetBytes(text).All(value => matcher.TryAccept(value)) && matcher.CanEnd;
    }

    public static void AssertHas(Grammar grammar, params string[] texts) => Assert.All(texts, text => Assert.True(Has(grammar, text), $"refused: {text}"));

    public static void AssertLacks(Grammar grammar, params string[] texts) => Assert.All(texts, text => Assert.False(Has(grammar, text), $"accepted: {text}"));
}
