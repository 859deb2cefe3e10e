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
    [InlineData("root ::= %json[\\U0001F600] {}", "line 1: only characters up to U+FFFF have escapes")]
    [InlineData("root ::= \"a\" |\n %json {\"type\": \"text\"}", "line 2: %json: JSON schema, /type: found \"text\"; expected one or more of")]
    [InlineData("root ::= %json {\"type\": ", "line 1: %json: ")]
    [InlineData("root ::= %json", "line 1: %json: ")]
    [InlineData("root ::= %json 5", "%json: JSON schema, at its root: found 5; expected a schema")]
    [InlineData("root ::= %lark", "'%' is not expected")]
    [InlineData("root ::= \"a\"{100000} r\nr ::= ((root{100}){100}){100}", "states come of it")]
    public void FromGbnf_NotRight_IsRefusedNamingRuleOrLine(string grammar, string expected)
    {
        GrammarException error = Assert.Throws<GrammarException>(() => Grammar.FromGbnf(grammar));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromGbnf_Schemas_ArePartsOfTheText()
    {
        Grammar grammar = Grammar.FromGbnf("""
            root ::= "é " %json {"type": "integer", "minimum": 5} (", " item)* "!" # {"a": 1}
            item ::= "<" %json {
              "properties": {"x": {"$ref": "#/$defs/é"}},
              "$defs": {"é": {"enum": ["ü", 1]}}, "required": ["x"]} ">" | %json true "?"
            """);

        Texts.AssertHas(grammar, "é 5!", "é 7, <{\"x\":\"ü\"}>!", "é 12, [{}]?, <{\"x\":1}>!");
        Texts.AssertLacks(grammar, "é 4!", "é 7, <{}>!", "é 7, <{\"x\":2}>!", "é 7, [{}]!");
    }

    /// <summary>What reads JSON gives up at some depth, wherever in a grammar JSON is.</summary>
    [Fact]
    public void FromGbnf_SchemaWithin_IsNestedNoDeeperThanElsewhere()
    {
        GrammarMatcher matcher = Grammar.FromGbnf("root ::= \"x\" %json true").Compile(Vocabularies.Bytes).CreateMatcher();
        Assert.True(matcher.TryAccept('x'));
        int depth = Enumerable.Repeat((int)'[', 1000).TakeWhile(token => matcher.TryAccept(token)).Count();

        Assert.InRange(depth, 1, 61);
    }

    [Theory]
    [InlineData("true", new[] { "\"a\\u003cb\"", "{\"\\u003C\":[1]}" }, new[] { "\"a<b\"", "{\"<\":[1]}" })]
    [InlineData("{\"enum\": [\"a<b\"]}", new[] { "\"a\\u003cb\"" }, new[] { "\"a<b\"" })]
    [InlineData("{\"pattern\": \"^[;-=]$\"}", new[] { "\";\"", "\"\\u003c\"", "\"=\"" }, new[] { "\"<\"", "\"\\u003e\"" })]
    [InlineData("{\"properties\": {\"<\": {}}, \"required\": [\"<\"]}", new[] { "{\"\\u003c\":1}" }, new[] { "{\"<\":1}" })]
    [InlineData("{\"properties\": {\"a\": {}}, \"additionalProperties\": true}", new[] { "{\"a\\u003c\":1}" }, new[] { "{\"a<\":1}" })]
    public void FromGbnf_SchemaWithoutACharacter_EscapesIt(string schema, string[] texts, string[] others)
    {
        Texts.AssertHas(Grammar.FromGbnf($"root ::= %json[<] {schema}"), texts);
        Texts.AssertLacks(Grammar.FromGbnf($"root ::= %json[<] {schema}"), others);
        Texts.AssertHas(Grammar.FromGbnf($"root ::= %json {schema}"), others[0]);
    }

    /// <summary>Many schemas that are small when written and large when followed cost no more than one.</summary>
    [Fact]
    public void FromGbnf_ManySchemas_AreBoundedTogether()
    {
        string many = string.Join(", ", Enumerable.Range(0, 20).Select(i => $"{{\"title\": \"{i}\"}}"));
        const string Reference = "{\"$ref\": \"#/$defs/a\"}";
        string schema = $"%json {{\"$defs\": {{\"a\": {{\"allOf\": [{many}]}}}}, \"properties\": {{\"x\": {Reference}, \"y\": {Reference}, \"z\": {Reference}}}}} ";
        string grammar = "root ::= " + string.Concat(Enumerable.Repeat(schema, 400));

        Assert.Contains("schemas are to be read", Assert.Throws<GrammarException>(() => Grammar.FromGbnf(grammar)).Message, StringComparison.Ordinal);
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
