using LoraServe.Grammars.Masks;

namespace LoraServe.Grammars.Tests.Masks;

/// <summary>Masks say of each token what following its bytes says.</summary>
public sealed class MaskTests
{
    public static TheoryData<string> Tokenizers => [.. Vocabularies.Names];

    private const string Person = """
        {"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":12},"age":{"type":"integer","minimum":0,"maximum":130},
        "tags":{"type":"array","items":{"enum":["a","b\n","c"]}},"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["name","next"],"additionalProperties":{"type":"number"}}
        """;

    private static IEnumerable<Grammar> Grammars() =>
    [
        Grammar.JsonObject,
        Grammar.FromJsonSchema(Person),
        Grammar.FromRegex("[A-Z][a-zé]+(?: [A-Z][a-z]+){0,3}, \\d{1,4}( €)?"),
        Grammar.FromRegex(".*(?:日本|語)*"),
        Grammar.FromChoices([" yes", "yes", "no", "nobody", "été"]),
        Grammar.FromGbnf("root ::= word (\" \" word)* end\nword ::= [a-z]+ | \"(\" root \")\"\nend ::= \".\" | \"!\"+"),
    ];

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void AllowedTokens_AlongRandomAnswers_AreThoseWhoseBytesLeadOn(string tokenizer)
    {
        TokenVocabulary vocabulary = Vocabularies.Of(tokenizer);
        Random random = new(3);
        foreach (Grammar grammar in Grammars())
        {
            CompiledGrammar compiled = grammar.Compile(vocabulary);
            List<int> tokens = [];
            new RandomModel(random).Answer(compiled, tokens);
            int stride = Math.Max(tokens.Count / 12, 1);
            for (int length = 0; length <= tokens.Count; length += stride)
            {
                AssertMask(compiled, tokens[..length]);
            }
        }
    }

    /// <summary>Near the greatest depth the masks of frames do not hold any more.</summary>
    [Theory]
    [InlineData(59)]
    [InlineData(60)]
    public void AllowedTokens_NearTheGreatestDepth_AreThoseWhoseBytesLeadOn(int depth)
    {
        CompiledGrammar compiled = Grammar.JsonObject.Compile(Vocabularies.Of("gpt2-style"));
        List<int> tokens = [];
        foreach (char c in string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "[")
        {
            tokens.Add(Vocabularies.TokenizerOf("gpt2-style").TryGetId(c.ToString())!.Value);
            GrammarMatcher matcher = compiled.CreateMatcher();
            if (!tokens.TrueForAll(matcher.TryAccept))
            {
                tokens.RemoveAt(tokens.Count - 1);
                break;
            }
        }

        AssertMask(compiled, tokens);
    }

    [Fact]
    public void AllowedTokens_WordPieces_AreNotKnown() => Assert.Null(Vocabularies.TokenizerOf("bert-wordpiece").TryGetBytes());

    [Fact]
    public void AllowedTokens_FirstTokenOfTokenizerThatDropsASpace_CountsWithoutIt()
    {
        TokenVocabulary vocabulary = Vocabularies.Of("llama-sp-nolegacy");
        int word = Vocabularies.TokenizerOf("llama-sp-nolegacy").TryGetId("▁the")!.Value;

        Assert.True(Grammar.FromChoices(["the"]).Compile(vocabulary).CreateMatcher().TryAccept(word));
        Assert.False(Grammar.FromChoices([" the"]).Compile(vocabulary).CreateMatcher().TryAccept(word));
    }

    /// <summary>Texts that never come to the same state twice: what is kept stays within its bound, and nothing changes when it is made anew.</summary>
    [Fact]
    public void AllowedTokens_MoreStatesThanAreKept_AreTheSame()
    {
        CompiledGrammar compiled = Grammar.FromRegex("(a|b)*a(a|b){300}c").Compile(Vocabularies.Bytes);
        Random random = new(1);
        GrammarMatcher matcher = compiled.CreateMatcher();
        List<int> text = [];
        for (int i = 0; i < 3000; i++)
        {
            int token = random.Next(2) == 0 ? 'a' : 'b';
            Assert.True(matcher.TryAccept(token));
            text.Add(token);
            bool mayEnd = text.Count > 300 && text[^301] == 'a';
            Assert.Equal(mayEnd, (matcher.AllowedTokens()['c' >> 6] >> ('c' & 63) & 1) != 0);
        }
    }

    [Fact]
    public async Task Matchers_OfOneGrammarOnManyThreads_GiveTheSame()
    {
        CompiledGrammar shared = Grammar.JsonObject.Compile(Vocabularies.Of("gpt2-style"));
        byte[]?[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => Task.Run(() => new RandomModel(new Random(seed)).Answer(shared, []))));

        for (int seed = 0; seed < answers.Length; seed++)
        {
            Assert.Equal(new RandomModel(new Random(seed)).Answer(Grammar.JsonObject.Compile(Vocabularies.Of("gpt2-style")), []), answers[seed]);
        }
    }

    /// <summary>Compares a mask with a walk of every token's bytes.</summary>
    private static void AssertMask(CompiledGrammar grammar, List<int> tokens)
    {
        ulong[] mask = Follow(grammar, tokens).AllowedTokens().ToArray();
        GrammarMatcher matcher = Follow(grammar, tokens);
        for (int token = 0; token < grammar.Vocabulary.Count; token++)
        {
            bool isAccepted = matcher.TryAccept(token);
            Assert.True(isAccepted == ((mask[token >> 6] >> (token & 63) & 1) != 0), $"token {token} after {tokens.Count}: accepted {isAccepted}");
            matcher = isAccepted ? Follow(grammar, tokens) : matcher;
        }
    }

    private static GrammarMatcher Follow(CompiledGrammar grammar, List<int> tokens)
    {
        GrammarMatcher matcher = grammar.CreateMatcher();
        Assert.All(tokens, token => Assert.True(matcher.TryAccept(token)));
        return matcher;
    }
}
