using System.Text.Json;
using LoraServe.Models.Text.ToolCalls;

namespace LoraServe.Models.Tests.Text.ToolCalls;

public sealed class ToolCallReaderTests
{
    private const string Strange = "<>{}[]\"'`\\:,;=|() \n0a";

    public static TheoryData<string> Forms => FormSamples.Names;

    [Theory]
    [MemberData(nameof(Forms))]
    public void Read_Sample_HasBothCalls(string name)
    {
        ReadAnswer read = Read(name, [FormSamples.Of(name)]);

        Assert.Empty(read.Broken);
        Assert.Equal(2, read.Calls.Count);
        Assert.All(read.Calls, call => Assert.Equal("look", call.Name));
        Assert.All(read.Calls, call => Assert.True(JsonElement.DeepEquals(JsonElement.Parse(FormSamples.Arguments), JsonElement.Parse(call.Arguments)), call.Arguments));
        Assert.Equal(FormSamples.Of(name).StartsWith("I look.", StringComparison.Ordinal) ? "I look." : "", read.Text);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Read_AnyPieces_GiveTheSame(string name)
    {
        var random = new Random(name.Length);
        foreach (string answer in Answers(name, random, 300))
        {
            ReadAnswer whole = Read(name, [answer]);
            Same(whole, Read(name, answer.Select(letter => letter.ToString())), answer);
            Same(whole, Read(name, Cut(answer, random)), answer);
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Read_DamagedAnswers_LoseNothing(string name)
    {
        string WithoutWrappers(string text) => FormSamples.Form(name).Wrappers.Aggregate(text, (rest, wrapper) => rest.Replace(wrapper, "", StringComparison.Ordinal));
        foreach (string answer in Answers(name, new Random(7), 1000))
        {
            ReadAnswer read = Read(name, [answer]);
            Assert.All(read.Calls, call => Assert.Equal(JsonValueKind.Object, JsonElement.Parse(call.Arguments).ValueKind));
            Assert.All(read.Calls, call => Assert.NotEqual("", call.Name));
            if (read.Calls.Count == 0 && read.Broken.Count == 0)
            {
                Assert.Equal(WithoutWrappers(answer), WithoutWrappers(read.Text));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Read_EveryBeginning_EndsAsItStands(string name)
    {
        string answer = FormSamples.Of(name);
        for (int length = 0; length < answer.Length; length++)
        {
            ReadAnswer read = Read(name, [answer[..length]]);
            Assert.InRange(read.Calls.Count + read.Broken.Count, 0, 2);
            Assert.All(read.Calls, call => Assert.True(JsonScanner.IsObject(call.Arguments)));
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Read_Text_ComesAsItIs(string name)
    {
        const string Text = "  Prices < 3 and [2] are \"fine\": {x}.\n\n```python\nprint(1)\n```\n <b>🙂</b> [TOOL <tool \n";

        ReadAnswer read = Read(name, Text.Select(letter => letter.ToString()));

        Assert.Equal(Text, read.Text);
        Assert.Empty(read.Calls);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Append_Text_ComesAtOnce(string name)
    {
        ToolCallReader reader = FormSamples.Form(name).CreateReader(FormSamples.Tools, new ToolCallIds("request", 0));

        Assert.Equal([new AnswerPart(AnswerPartKind.Text, "Hello")], reader.Append("Hello"));
        Assert.Empty(reader.Append(" "));
        Assert.Equal([new AnswerPart(AnswerPartKind.Text, " world")], reader.Append("world"));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Read_Megabytes_AreRead(string name)
    {
        string answer = FormSamples.Of(name);
        foreach (string hostile in new[]
        {
            string.Concat(Enumerable.Repeat(answer, 1 + (500_000 / answer.Length))),
            string.Concat(Enumerable.Repeat(answer[..(answer.Length / 3)], 1 + (500_000 / answer.Length))),
            answer.Replace("Paris", new string('x', 1 << 20), StringComparison.Ordinal),
            answer.Replace("1,", string.Concat(Enumerable.Repeat("[", 100_000)), StringComparison.Ordinal),
            answer + new string(' ', 1 << 20),
            string.Concat(Enumerable.Repeat(FormSamples.Form(name).Openings[0], 50_000)),
            FormSamples.Form(name).Openings[0] + new string('{', 1 << 20),
        })
        {
            ReadAnswer read = Read(name, [hostile]);
            Assert.All(read.Calls, call => Assert.True(JsonScanner.IsObject(call.Arguments)));
        }
    }

    [Fact]
    public void Append_Arguments_ComeAsTheyAreWritten()
    {
        ToolCallReader reader = FormSamples.Form("hermes").CreateReader(FormSamples.Tools, new ToolCallIds("request", 0));

        Assert.Empty(reader.Append("<tool_call>\n{\"name\": \"lo"));
        Assert.Empty(reader.Append("ok\", \"arguments\": "));
        AnswerPart begin = reader.Append("{")[0];
        Assert.Equal((AnswerPartKind.CallBegin, "look", 0), (begin.Kind, begin.Text, begin.Call));
        Assert.Equal([new AnswerPart(AnswerPartKind.Arguments, "\"x\": 1")], reader.Append("\"x\": 1"));
        Assert.Equal([new AnswerPart(AnswerPartKind.Arguments, "}"), new AnswerPart(AnswerPartKind.CallEnd, "")], reader.Append("}}\n</tool_call>"));
        Assert.Empty(reader.Finish());
    }

    [Theory]
    [InlineData("""<tool_call>{"arguments": {"x": 1}, "name": "f"}</tool_call>""", """{"x": 1}""")]
    [InlineData("""<tool_call>{"name": "f", "arguments": "{\"x\": 1}"}</tool_call>""", """{"x": 1}""")]
    [InlineData("""<tool_call>{"name": "f", "parameters": {"x": 1}}</tool_call>""", """{"x": 1}""")]
    [InlineData("""<tool_call>{"name": "f"}</tool_call>""", "{}")]
    [InlineData("""<tool_call>{"name": "f", "arguments": null, "n": 12}</tool_call>""", "{}")]
    [InlineData("""<tool_call>{"name": "f", "arguments": {"x": 1}}<tool_call>""", """{"x": 1}""")]
    [InlineData("""<tool_call>{"name": "f", "arguments": {"x": 1}}""", """{"x": 1}""")]
    [InlineData("""<tool_call>{"name": "f", "arguments": {"x": 1}""", """{"x": 1}""")]
    public void Read_OddlyWrittenCall_IsACall(string answer, string arguments)
    {
        ReadAnswer read = Read("hermes", [answer]);

        ToolCall call = Assert.Single(read.Calls);
        Assert.Equal(("f", arguments), (call.Name, call.Arguments));
        Assert.Empty(read.Broken);
    }

    [Theory]
    [InlineData("<tool_call></tool_call>")]
    [InlineData("<tool_call>no JSON</tool_call>")]
    [InlineData("""<tool_call>{"name": 3, "arguments": {}}</tool_call>""")]
    [InlineData("""<tool_call>{"name": "", "arguments": {}}</tool_call>""")]
    [InlineData("""<tool_call>{"name": "\ud800", "arguments": {}}</tool_call>""")]
    [InlineData("""<tool_call>{"name": "f", "arguments": [1]}</tool_call>""")]
    [InlineData("""<tool_call>{"name": "f", "arguments": "x"}</tool_call>""")]
    [InlineData("""<tool_call>{"arguments": {"x": 1}}</tool_call>""")]
    [InlineData("""<tool_call>{"name": "f", "argum""")]
    [InlineData("a <tool_call> b")]
    public void Read_WhatIsNoCall_IsText(string answer)
    {
        ReadAnswer read = Read("hermes", [answer]);

        Assert.Equal(answer, read.Text);
        Assert.Empty(read.Calls);
        Assert.Empty(read.Broken);
    }

    [Theory]
    [InlineData("""<tool_call>{"name": "f", "arguments": {"x": 1""")]
    [InlineData("""<tool_call>{"name": "f", "arguments": {"x": oops""")]
    public void Read_CallThatBreaksOff_IsHandedOutWhole(string answer)
    {
        ReadAnswer read = Read("hermes", [answer]);

        Assert.Empty(read.Calls);
        Assert.Equal(answer, Assert.Single(read.Broken) + read.Text);
    }

    [Fact]
    public void Read_TextBetweenCalls_IsKept()
    {
        ReadAnswer read = Read("hermes", ["""First <tool_call>{"name": "f", "arguments": {}}</tool_call> then <tool_call>{"name": "g", "arguments": {}}</tool_call> done."""]);

        Assert.Equal("First then done.", read.Text);
        Assert.Equal(["f", "g"], read.Calls.Select(call => call.Name));
    }

    [Theory]
    [InlineData("""{"name": "look", "parameters": {"place": "Rome"}}""", 1)]
    [InlineData("""<|python_tag|>{"name": "look", "parameters": {"place": "Rome"}}""", 1)]
    [InlineData("""  {"type": "function", "name": "look", "parameters": {"place": "Rome"}}""", 1)]
    [InlineData("""{"name": "Bob", "parameters": {"age": 3}}""", 0)]
    [InlineData("""{"name": "look"}""", 0)]
    [InlineData("""See: {"name": "look", "parameters": {"place": "Rome"}}""", 0)]
    [InlineData("<|python_tag|>import math", 0)]
    public void Read_LlamasAnswer_IsACallOfAToolAlone(string answer, int calls)
    {
        ReadAnswer read = Read("llama3", [answer]);

        Assert.Equal(calls, read.Calls.Count);
        Assert.Equal(calls == 0 ? answer : "", read.Text);
    }

    [Fact]
    public void Ids_AreTheRequests_AndAsTheFormHasThem()
    {
        string[] Of(string form, string request) => [.. ReadAnswer.Of(FormSamples.Form(form), [FormSamples.Of(form)], FormSamples.Tools, request).Calls.Select(call => call.Id)];

        Assert.Equal(Of("hermes", "a"), Of("hermes", "a"));
        Assert.Equal(4, Of("hermes", "a").Concat(Of("hermes", "b")).Distinct().Count());
        Assert.All(Of("hermes", "a"), id => Assert.Matches("^call_[0-9A-Za-z]{24}$", id));
        Assert.All(Of("mistral", "a").Concat(Of("mistral-named", "a")), id => Assert.Matches("^[0-9A-Za-z]{9}$", id));
    }

    private static ReadAnswer Read(string name, IEnumerable<string> pieces) => ReadAnswer.Of(FormSamples.Form(name), pieces, FormSamples.Tools);

    private static void Same(ReadAnswer expected, ReadAnswer actual, string answer)
    {
        Assert.True(expected.Text == actual.Text && expected.Calls.SequenceEqual(actual.Calls) && expected.Broken.SequenceEqual(actual.Broken), $"{answer}\n{expected}\n{actual}");
    }

    private static IEnumerable<string> Cut(string answer, Random random)
    {
        for (int from = 0, length; from < answer.Length; from += length)
        {
            length = Math.Min(random.Next(0, 12), answer.Length - from);
            yield return answer.Substring(from, length);
        }
    }

    /// <summary>The sample, and what it is with letters changed, lost, doubled and moved.</summary>
    private static IEnumerable<string> Answers(string name, Random random, int count)
    {
        string sample = FormSamples.Of(name);
        yield return sample;
        for (int i = 0; i < count; i++)
        {
            string answer = sample;
            for (int change = random.Next(1, 4); change > 0 && answer.Length > 2; change--)
            {
                int at = random.Next(answer.Length - 1);
                int length = random.Next(1, Math.Min(20, answer.Length - at));
                answer = random.Next(4) switch
                {
                    0 => answer[..at] + Strange[random.Next(Strange.Length)] + answer[(at + 1)..],
                    1 => answer[..at] + answer[(at + length)..],
                    2 => answer[..(at + length)] + answer[at..],
                    _ => answer[..at],
                };
            }

            yield return answer;
        }
    }
}
