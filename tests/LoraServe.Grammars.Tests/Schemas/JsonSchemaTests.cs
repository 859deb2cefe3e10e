using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Tests.Schemas;

public sealed class JsonSchemaTests
{
    [Theory]
    [InlineData(
        """{"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"string"}},"required":["a"]}""",
        new[] { """{"b":1,"a":"x"}""", """{ "b": 1, "a": "x" }""", """{"a":""}""" },
        new[] { """{"a":"x","b":1}""", """{"b":1}""", """{"a":"x","c":1}""", """{"a":"x",}""", """{  "a":"x"}""" })]
    [InlineData("""{"properties":{"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"}}}""", new[] { "{}", """{"a":null,"c":null}""", """{"c":null}""" }, new[] { """{"c":null,"a":null}""", "[]", "null" })]
    [InlineData("""{"type":"object","properties":{"ab":{"type":"null"}},"additionalProperties":{"type":"integer"}}""", new[] { """{"ab":null,"a":1,"abc":2,"":3}""", """{"x\"y":4}""" }, new[] { """{"ab":1}""", """{"a":null}""", """{"a\u0062":1}""" })]
    [InlineData("""{"type":"object","required":["x"]}""", new[] { """{"x":[1,{"y":null}]}""", """{"x":1,"z":2}""" }, new[] { "{}" })]
    [InlineData("""{"type":"array","items":{"type":"boolean"},"minItems":2,"maxItems":3}""", new[] { "[true,false]", "[true, true, false]" }, new[] { "[]", "[true]", "[true,true,true,true]" })]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}""", new[] { "[]", "[1]", """[1,"a"]""" }, new[] { """["a"]""", """[1,"a",2]""" })]
    [InlineData("""{"type":["integer","null"]}""", new[] { "null", "-12", "0" }, new[] { "1.5", "01", "-0" })]
    [InlineData("""{"type":"string","nullable":true,"maxLength":2}""", new[] { "null", "\"\"", "\"a😀\"", "\"\\n\\u00e9\"", "\"\\ud83d\\ude00\"" }, new[] { "\"abc\"", "\"\\ud83d\"" })]
    [InlineData("""{"type":"integer","minimum":-12,"exclusiveMaximum":105}""", new[] { "-12", "-1", "0", "7", "99", "100", "104" }, new[] { "-13", "105", "200", "-100", "1000" })]
    [InlineData("""{"type":"number","exclusiveMinimum":0.25,"maximum":10}""", new[] { "0.26", "0.2501", "1", "9.999", "10", "10.0" }, new[] { "0.25", "0.250", "0", "10.01", "-1", "11", "1e0" })]
    [InlineData("""{"type":"number","minimum":-1.5}""", new[] { "-1.5", "-1.49", "-1.50", "0.0", "123456.5", "-0.5" }, new[] { "-1.51", "-2" })]
    [InlineData("""{"enum":["a",1,{"b":[true]},null]}""", new[] { "\"a\"", "1", """{"b":[true]}""", "null" }, new[] { "2", "\"b\"" })]
    [InlineData("""{"type":"string","enum":["a",1]}""", new[] { "\"a\"" }, new[] { "1" })]
    [InlineData("""{"const":{"x":1.0}}""", new[] { """{"x":1.0}""" }, new[] { """{"x":1}""" })]
    [InlineData("""{"anyOf":[{"type":"integer"},{"type":"string","const":"x"}]}""", new[] { "5", "\"x\"" }, new[] { "\"y\"" })]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"oneOf":[{"required":["a"]},{"required":["b"]}]}""", new[] { """{"a":1}""", """{"b":1}""" }, new[] { "{}" })]
    [InlineData("""{"allOf":[{"type":"object","properties":{"a":{"minimum":3}}},{"properties":{"a":{"type":"integer","maximum":5}},"required":["a"]}]}""", new[] { """{"a":3}""", """{"a":5}""" }, new[] { """{"a":2}""", """{"a":6}""", "{}" })]
    [InlineData("""{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"v":{"type":"integer"},"n":{"$ref":"#/$defs/n"}},"required":["v"]}}}""", new[] { """{"v":1,"n":{"v":2,"n":{"v":3}}}""" }, new[] { """{"n":{"v":1}}""" })]
    [InlineData("""{"type":"string","pattern":"^a\"[\\\\]\\d$"}""", new[] { "\"a\\\"\\\\1\"" }, new[] { "\"a\"" })]
    [InlineData("""{"type":"string","pattern":"b"}""", new[] { "\"abc\"", "\"b\"" }, new[] { "\"ac\"" })]
    [InlineData("""{"type":"string","format":"date"}""", new[] { "\"2024-02-29\"", "\"2023-12-31\"" }, new[] { "\"2023-02-29\"", "\"2023-13-01\"", "\"2023-04-31\"" })]
    [InlineData("""{"type":"integer","format":"uint8"}""", new[] { "0", "255" }, new[] { "256", "-1" })]
    [InlineData("true", new[] { "null", """[{"a":[1.5e3,"x"]}]""" }, new[] { "nul" })]
    [InlineData("""{"type":"array"}""", new[] { "[]", "[1, [2]]" }, new[] { "{}" })]
    [InlineData("""{"properties":{"a":{"type":"null"}},"additionalProperties":true}""", new[] { "{}", """{"a":null,"b":1}""", """{"b":[null]}""" }, new[] { """{"a":1}""" })]
    [InlineData("""{"type":"array","items":true}""", new[] { "[]", """[1,"a",{}]""" }, new[] { "1" })]
    [InlineData("""{"type":"object","additionalProperties":false}""", new[] { "{}" }, new[] { """{"a":1}""" })]
    [InlineData("""{"type":"number","minimum":0,"exclusiveMinimum":true}""", new[] { "0.1", "1" }, new[] { "0", "0.0", "-0.5" })]
    public void FromJsonSchema_Schema_HasTheTextsThatSatisfyIt(string schema, string[] texts, string[] others)
    {
        var grammar = Grammar.FromJsonSchema(schema);

        Texts.AssertHas(grammar, texts);
        Texts.AssertLacks(grammar, others);
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a/b":{"type":"string","contains":1}}}""", "/properties/a~1b/contains: this keyword is not supported")]
    [InlineData("""{"type":"object","patternProperties":{}}""", "/patternProperties")]
    [InlineData("""{"not":{}}""", "/not")]
    [InlineData("""{"if":{}}""", "/if")]
    [InlineData("""{"type":"number","multipleOf":2}""", "/multipleOf")]
    [InlineData("""{"type":"array","uniqueItems":true}""", "/uniqueItems: only false")]
    [InlineData("""{"type":"strng"}""", "/type: found \"strng\"")]
    [InlineData("""{"type":"string","format":"iri"}""", "'iri' is not supported")]
    [InlineData("""{"type":"string","pattern":"a(?=b)"}""", "/pattern, character 2: '(?='")]
    [InlineData("""{"type":"string","pattern":"a","maxLength":3}""", "/pattern: it is not supported beside")]
    [InlineData("""{"type":"string","minLength":-1}""", "/minLength: found -1")]
    [InlineData("""{"type":"string","minLength":3,"maxLength":2}""", "3 is more than maxLength")]
    [InlineData("""{"type":"array","minItems":3,"maxItems":2}""", "3 is more than maxItems")]
    [InlineData("""{"enum":[]}""", "/enum: none of the values")]
    [InlineData("""{"enum":["a"],"minLength":3}""", "/minLength: it is not supported beside enum")]
    [InlineData("""{"$ref":"other.json"}""", "/$ref: found \"other.json\"")]
    [InlineData("""{"$ref":"#/$defs/x"}""", "#/$defs/x leads to nothing")]
    [InlineData("""{"anyOf":[{"$ref":"#"},{"type":"null"}]}""", "begins with itself")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""", "no text satisfies it")]
    [InlineData("""{"type":"integer","minimum":3,"maximum":2}""", "no text satisfies it")]
    [InlineData("""{"type":"object","properties":{"a":false},"required":["a"]}""", "'a' is required, and not allowed")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"integer"}]}""", "no type is allowed")]
    [InlineData("false", "no text satisfies it")]
    [InlineData("[]", "at its root: found an array of 0; expected a schema")]
    [InlineData("{", "it is not JSON")]
    [InlineData("""{"type":"null","type":"null"}""", "it is not JSON")]
    [InlineData("""{"properties":{"a":3}}""", "/properties/a: found 3; expected a schema")]
    [InlineData("""{"const":"\ud800"}""", "half of a surrogate pair")]
    public void FromJsonSchema_NotSupported_IsRefusedByNameAndPointer(string schema, string expected)
    {
        GrammarException error = Assert.Throws<GrammarException>(() => Grammar.FromJsonSchema(schema));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("JSON schema", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Bombs =>
    [
        """{"type":"string","minLength":100000,"maxLength":100000}""",
        """{"type":"array","items":{"type":"array","items":{"type":"string","maxLength":99999},"maxItems":99999},"maxItems":99999}""",
        """{"$ref":"#/$defs/a0","$defs":{""" + string.Join(',', Enumerable.Range(0, 40).Select(i => $$"""
            "a{{i}}":{"allOf":[{"$ref":"#/$defs/a{{i + 1}}"},{"anyOf":[{"$ref":"#/$defs/a{{i + 1}}"},{"type":"null"},{"type":"string"}]}]}
            """)) + ""","a40":{"anyOf":[{"type":"integer"},{"type":"null"}]}}}""",
        "[" + string.Concat(Enumerable.Repeat("""{"items":""", 5000)),
        "{\"enum\":[" + string.Join(',', Enumerable.Range(0, 60_000)) + "],\"items\":" + string.Concat(Enumerable.Repeat("[", 90)),
    ];

    [Theory]
    [MemberData(nameof(Bombs))]
    public void FromJsonSchema_Bomb_IsRefused(string schema) => Assert.Throws<GrammarException>(() => Grammar.FromJsonSchema(schema));

    /// <summary>What reads JSON gives up at 64 values within each other.</summary>
    [Fact]
    public void JsonObject_EverDeeper_StopsWhereItCanStillEnd()
    {
        GrammarMatcher matcher = Grammar.JsonObject.Compile(Vocabularies.Bytes).CreateMatcher();
        Assert.All("{\"a\":", c => Assert.True(matcher.TryAccept(c)));
        int depth = 1;
        while (matcher.TryAccept('['))
        {
            depth++;
        }

        Assert.InRange(depth, 55, 64);
        Assert.All(new string(']', depth - 1) + "}", c => Assert.True(matcher.TryAccept(c)));
        Assert.True(matcher.IsComplete);
    }

    [Fact]
    public void FromChoices_Choices_HasThemAlone()
    {
        var grammar = Grammar.FromChoices(["red", "redder", "grün"]);

        Texts.AssertHas(grammar, "red", "redder", "grün");
        Texts.AssertLacks(grammar, "r", "redd", "green", "");
        Assert.Throws<GrammarException>(() => Grammar.FromChoices([]));
        Assert.Throws<GrammarException>(() => Grammar.FromChoices([""]));
    }
}
