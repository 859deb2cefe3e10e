using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Tests.Gbnf;

public sealed class GbnfTests
{
    private const string Arithmetic = """
        # a comment
        root  ::= (expr "=" ws term "\n")+
        expr  ::= term ([-+*/] term)*
        term  ::= ident | num | "(" ws expr ")" ws
        ident ::= [a-z] [a-z0-9_]* ws
        num   ::= [0-9]+ ws
        ws    ::= [ \t\n]*
        """;

    [Fact]
    public void FromGbnf_Arithmetic_HasItsTexts()
    {
        var grammar = Grammar.FromGbnf(Arithmetic);

        Texts.AssertHas(grammar, "1+2=3\n", "(a *(b +1))= x\n", "1=2\n3=4\n", new string('(', 100) + "1" + new string(')', 100) + "=1\n");
        Texts.AssertLacks(grammar, "1+2=3", "(1=2\n", "a+=1\n", "");
    }

    [Theory]
    [InlineData("root ::= \"a\" root | \"\"", new[] { "", "aaa" }, new[] { "b" })]
    [InlineData("root ::= x{2,3} [^a-c]? .\nx ::= \"\\x41\" | \"\\u00e9\" | \"\\U0001F600\"", new[] { "AéA", "😀Ad", "AAAz日" }, new[] { "A", "AAAac" })]
    [InlineData("root ::= (\n  \"a\"\n  | # one\n  \"b\"\n) \"c\"\nunused ::= \"x\"", new[] { "ac", "bc" }, new[] { "a" })]
    [InlineData("root ::= \"a\" (\"b\" | \"c\")*\r\n", new[] { "a", "abcb" }, new[] { "b" })]
    [InlineData("root ::= a b\na ::= \"x\"?\nb ::= a \"y\" | a", new[] { "", "x", "xx", "xxy", "y" }, new[] { "xxx", "yy" })]
    [InlineData("root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"\"", new[] { "aabc", "ab", "" }, new[] { "aab", "ba" })]
    [InlineData("root ::= [\\]\\-\\^\\\\a-]+", new[] { "]-^\\a-" }, new[] { "b" })]
    public void FromGbnf_Grammar_HasItsTexts(string grammar, string[] texts, string[] others)
    {
        var read = Grammar.FromGbnf(grammar);

        Texts.AssertHas(read, texts);
        Texts.AssertLacks(read, others);
    }

    [Theory]
    [InlineData("", "no rule 'root'")]
    [InlineData("a ::= \"x\"", "no rule 'root'")]
    [InlineData("root ::= a", "line 1: 'a' is used, and not defined")]
    [InlineData("root ::= \"a\"\nroot ::= \"b\"", "line 2: 'root' is defined twice")]
    [InlineData("root ::= root \"a\" | \"b\"", "root begins with itself (left recursion)")]
    [InlineData("root ::= \"x\" | e\ne ::= s? e \"a\" | \"b\"\ns ::= \" \"", "e begins with itself")]
    [InlineData("root ::= a\na ::= b\nb ::= \"\" a", "begins with itself")]
    [InlineData("root ::= \"a\" root", "no text satisfies it")]
    [InlineData("root ::= \"a", "no '\"' at its end")]
    [InlineData("root ::= (\"a\"", "'(' has no ')'")]
    [InlineData("root ::= [a", "'[' has no ']'")]
    [InlineData("root ::= \"a\"{3,1}", "the second not smaller")]
    [InlineData("root ::= \"\\q\"", "'\\q' is not known")]
    [InlineData("root = \"a\"", "expected '::='")]
    [InlineData("root ::= \"a\" )", "')' is not expected")]
    [InlineData("root ::= <think>", "tokens cannot be named")]
    [InlineData("root ::= \"a\"{100000} r\nr ::= ((root{100}){100}){100}", "states come of it")]
    public void FromGbnf_NotRight_IsRefusedNamingRuleOrLine(string grammar, string expected)
    {
        GrammarException error = Assert.Throws<GrammarException>(() => Grammar.FromGbnf(grammar));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>A grammar with as many readings as there are ways to nest costs no more for each further byte.</summary>
    [Fact]
    public void FromGbnf_AmbiguousGrammar_CostsLittle()
    {
        GrammarMatcher matcher = Grammar.FromGbnf("root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"a\" root | \"a\" root root | \"a\"").Compile(Vocabularies.Bytes).CreateMatcher();
        for (int i = 0; i < 200; i++)
        {
            Assert.True(matcher.TryAccept('a'));
            Assert.True(matcher.CanEnd);
            _ = matcher.AllowedTokens();
        }
    }

    [Fact]
    public void FromGbnf_EverDeeper_StopsWhereItCanStillEnd()
    {
        CompiledGrammar grammar = Grammar.FromGbnf("root ::= \"(\" root \")\" | \"x\"").Compile(Vocabularies.Bytes);
        GrammarMatcher matcher = grammar.CreateMatcher();
        int depth = 0;
        while (matcher.TryAccept('('))
        {
            depth++;
        }

        Assert.Equal(1000, depth);
        Assert.True(matcher.TryAccept('x'));
        Assert.All(Enumerable.Repeat((int)')', depth), token => Assert.True(matcher.TryAccept(token)));
        Assert.True(matcher.IsComplete);
    }
}
