using System.Text;
using System.Text.Json;
using Json.Schema;
using LoraServe.Grammars;
using LoraServe.Grammars.Masks;
using LoraServe.Models.Text.ToolCalls;

namespace LoraServe.Models.Tests.Text.ToolCalls;

/// <summary>Whatever a model chooses within a form's grammar is read as calls of that form, with arguments that the tool's schema allows.</summary>
public sealed class ForcedCallTests
{
    private const int Answers = 40;
    private const int Most = 3;

    private const string Parameters = """
        {
          "type": "object",
          "properties": {
            "city": {"type": "string"},
            "unit": {"type": "string", "enum": ["C", "F"]},
            "days": {"type": "integer", "minimum": 1, "maximum": 20},
            "exact": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string", "enum": ["wind", "rain"]}},
            "at": {"type": "object", "properties": {"lat": {"type": "number"}, "lon": {"$ref": "#/$defs/degrees"}}, "required": ["lon"]},
            "open": {}
          },
          "required": ["city", "days"],
          "$defs": {"degrees": {"type": "integer"}}
        }
        """;

    private static readonly ToolSet s_tools = new(
    [
        JsonElement.Parse($$$"""{"type": "function", "function": {"name": "get_weather", "parameters": {{{Parameters}}} }}"""),
        JsonElement.Parse("""{"type": "function", "function": {"name": "now"}}"""),
    ]);

    public static TheoryData<string> Forms => FormSamples.Names;

    [Theory]
    [MemberData(nameof(Forms))]
    public void GrammarOf_OneTool_IsOneCallWithItsArguments(string name)
    {
        ToolCallForm form = FormSamples.Form(name);
        var schema = JsonSchema.FromText(Parameters);
        foreach (string answer in Walk(form, form.GrammarOf(s_tools, ["get_weather"], most: 1)))
        {
            ReadAnswer read = ReadAnswer.Of(form, answer, s_tools);

            Assert.True(read is { Text: "", Calls: [{ Name: "get_weather" }], Broken: [] }, answer);
            Assert.True(schema.Evaluate(JsonElement.Parse(read.Calls[0].Arguments)).IsValid, $"{answer}\n{read.Calls[0].Arguments}");
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void GrammarOf_AllTools_IsCallsOfAny(string name)
    {
        ToolCallForm form = FormSamples.Form(name);
        ReadAnswer[] answers = [.. Walk(form, form.GrammarOf(s_tools, s_tools.Names, Most)).Select(answer => ReadAnswer.Of(form, answer, s_tools))];

        Assert.All(answers, answer => Assert.True(answer is { Text: "", Broken: [], Calls.Count: >= 1 and <= Most }));
        Assert.Equal(["get_weather", "now"], answers.SelectMany(answer => answer.Calls).Select(call => call.Name).Distinct().Order());
        Assert.All(answers.SelectMany(answer => answer.Calls).Where(call => call.Name == "now"), call => Assert.Equal("{}", call.Arguments.Replace(" ", "", StringComparison.Ordinal)));
    }

    /// <summary>What the templates write, models write: it is among what they are made to write.</summary>
    [Theory]
    [InlineData("hermes", "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>")]
    [InlineData("llama3", "{\"name\": \"now\", \"parameters\": {}}")]
    [InlineData("mistral", "[TOOL_CALLS][{\"name\": \"now\", \"arguments\": {}}]")]
    [InlineData("mistral", "[TOOL_CALLS] [{\"name\": \"now\", \"arguments\": {}}, {\"name\": \"now\", \"arguments\": {}}]")]
    [InlineData("mistral-named", "[TOOL_CALLS]now[ARGS]{}")]
    [InlineData("gemma", "```tool_code\nnow()\n```")]
    [InlineData("gemma4", "<|tool_call>call:get_weather{city:<|\"|>Paris<|\"|>,days:2,tags:[<|\"|>rain<|\"|>],at:{lon:4}}<tool_call|>")]
    [InlineData("deepseek-r1", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>")]
    [InlineData("kimi", "<|tool_calls_section_begin|><|tool_call_begin|>functions.now:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>")]
    [InlineData("qwen-coder", "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>")]
    [InlineData("glm", "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call>")]
    public void GrammarOf_WhatTemplatesWrite_IsAmongIt(string name, string answer)
    {
        GrammarMatcher matcher = Grammar.FromGbnf(FormSamples.Form(name).GrammarOf(s_tools, s_tools.Names, Most)).Compile(Vocabulary([])).CreateMatcher();

        int read = Encoding.UTF8.GetBytes(answer).TakeWhile(value => matcher.TryAccept(value)).Count();
        Assert.True(read == Encoding.UTF8.GetByteCount(answer) && matcher.CanEnd, $"refused behind {read} bytes");
    }

    private static IEnumerable<string> Walk(ToolCallForm form, string grammar)
    {
        // A random model would not come to write a marker letter by letter.
        string[] markers = [.. form.Markers.Where(marker => marker.Length > 0), "\"", "\"]", "\"}", "}", "]"];
        CompiledGrammar compiled = Grammar.FromGbnf(grammar).Compile(Vocabulary(markers));
        var random = new Random(1);
        for (int i = 0; i < Answers; i++)
        {
            var bytes = new MemoryStream();
            GrammarMatcher matcher = compiled.CreateMatcher();
            while (!matcher.IsComplete && !(matcher.CanEnd && random.Next(8) == 0))
            {
                int[] allowed = [.. Allowed(matcher.AllowedTokens())];
                int[] marks = [.. allowed.Where(token => token > byte.MaxValue)];
                int[] from = marks.Length > 0 && random.Next(3) == 0 ? marks : allowed;
                int token = from[random.Next(from.Length)];
                Assert.True(matcher.TryAccept(token));
                bytes.Write(token <= byte.MaxValue ? [(byte)token] : Encoding.UTF8.GetBytes(markers[token - 256]));
            }

            yield return Encoding.UTF8.GetString(bytes.ToArray());
        }
    }

    private static List<int> Allowed(ReadOnlySpan<ulong> mask)
    {
        var allowed = new List<int>();
        for (int token = 0; token < mask.Length * 64; token++)
        {
            if ((mask[token >> 6] >> (token & 63) & 1) != 0)
            {
                allowed.Add(token);
            }
        }

        return allowed;
    }

    private static TokenVocabulary Vocabulary(IEnumerable<string> markers) =>
        new([.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }), .. markers.Select(Encoding.UTF8.GetBytes)]);
}
