using System.Text;
using LoraServe.Models.Backward;
using LoraServe.Training.Data;
using static LoraServe.Training.Tests.Data.ByteTokenizer;

namespace LoraServe.Training.Tests.Data;

/// <summary>What is learnt of a conversation: what its chat template writes for an assistant, and nothing that the row says is lost.</summary>
public sealed class ConversationTurnsTests
{
    private const string Tools = "{% if tools %}[{{ tools | tojson }}]{% endif %}{% for m in messages %}<turn>{{ m.role }}:{% if m.content %}{{ m.content }}{% endif %}{% for c in m.tool_calls or [] %}({{ c.function.name }} {{ c.function.arguments | tojson }}){% endfor %}<end>\n{% endfor %}{% if add_generation_prompt %}<turn>assistant:{% endif %}";
    private const string Call = """{"id": "1", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}}""";
    private const string Marked = "{% for m in messages %}<turn>{{ m.role }}:{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<end>{% endgeneration %}{% else %}{{ m.content }}<end>{% endif %}\n{% endfor %}{% if add_generation_prompt %}<turn>assistant:{% endif %}";
    private static readonly ExampleOptions s_long = new() { MaximumLength = 10_000 };

    [Theory]
    [InlineData("", "a<end>|b<end>")]
    [InlineData(""", "weight": 0""", "b<end>")]
    [InlineData(""", "weight": 1""", "a<end>|b<end>")]
    [InlineData(""", "weight": 0.0""", "b<end>")]
    [InlineData(""", "weight": null""", "a<end>|b<end>")]
    public void Weight_SaysWhatIsContextAlone(string weight, string learnt)
    {
        string row = $$"""{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"{{weight}}}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "b"}]}""";

        Assert.Equal(learnt, Learnt(Template, row));
        Assert.Equal(learnt, Learnt(Marked, row));
        Assert.Contains("<turn>assistant:a<end>\n<turn>user:r", Whole(Template, row), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("assistant", "0.5", "messages[1].weight\" is 0.5; expected 0 (not learnt) or 1")]
    [InlineData("assistant", "\"0\"", "messages[1].weight\" is \"0\"; expected 0")]
    [InlineData("user", "1", "only an assistant's turns are learnt")]
    public void Weight_OfAnotherKind_IsRefused(string role, string weight, string problem) =>
        Refused(Template, $$"""{"messages": [{"role": "assistant", "content": "b"}, {"role": "{{role}}", "content": "a", "weight": {{weight}}}]}""", problem);

    [Fact]
    public void Weight_ZeroEverywhere_LeavesNothingToLearn() =>
        Assert.Null(Rows().Encode(Row("""{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 0}]}"""), s_long));

    [Theory]
    [InlineData("\"go\"", "go(f {\"x\": 1})<end>")]
    [InlineData("null", "(f {\"x\": 1})<end>")]
    [InlineData("\"\"", "(f {\"x\": 1})<end>")]
    public void ToolCalls_AreLearntAsTheyAreWritten(string content, string learnt) =>
        Assert.Equal($"{learnt}|ok<end>", Learnt(Tools, $$"""
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": {{content}}, "tool_calls": [{{Call}}]}, {"role": "tool", "tool_call_id": "1", "name": "f", "content": "3"}, {"role": "assistant", "content": "ok"}]}
            """));

    [Fact]
    public void ToolCalls_WithArgumentsAsText_AreTheSame() => Assert.Equal(
        Learnt(Tools, $$"""{"messages": [{"role": "assistant", "content": "a", "tool_calls": [{{Call}}]}]}"""),
        Learnt(Tools, $$"""{"messages": [{"role": "assistant", "content": "a", "tool_calls": [{{Call.Replace("{\"x\": 1}", "\"{\\\"x\\\": 1}\"", StringComparison.Ordinal)}}]}]}"""));

    [Fact]
    public void MoreTurnsThanCanBeToldApart_AreRefused() =>
        Refused(Template, $$"""{"messages": [{{string.Join(',', Enumerable.Repeat("""{"role": "assistant", "content": "a"}""", 1001))}}]}""", "\"messages\" has 1001 turns; expected at most 1000");

    [Fact]
    public void ContentThatIsNull_IsNotTheWordNone() =>
        Assert.Equal("(f)<end>", Learnt("{% for m in messages %}{{ m.content }}{% for c in m.tool_calls %}({{ c.function.name }}){% endfor %}<end>{% endfor %}", $$"""{"messages": [{"role": "assistant", "content": null, "tool_calls": [{{Call}}]}]}"""));

    [Theory]
    [InlineData("""{"messages": [{"role": "assistant", "content": "a", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}]}""", "\"messages[0].tool_calls\" is not written")]
    [InlineData("""{"messages": [{"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}]}""", "\"messages[0].tool_calls\" is not written")]
    [InlineData("""{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "reasoning_content": "r"}]}""", "\"messages[1].reasoning_content\" is not written")]
    [InlineData("""{"messages": [{"role": "user", "content": "q", "name": "Ann"}, {"role": "assistant", "content": "a"}]}""", "\"messages[0].name\" is not written")]
    [InlineData("""{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "train": false}]}""", "\"messages[1].train\" is not written")]
    [InlineData("""{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "tools": [{"type": "function"}]}""", "\"tools\" are not written")]
    [InlineData("""{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "documents": [{"title": "t"}]}""", "\"documents\" are not written")]
    public void WhatTheTemplatePassesOver_IsRefusedByName(string row, string problem) => Refused(Template, row, problem);

    [Fact]
    public void WhatTheTemplateWrites_IsUsed()
    {
        const string Row = """{"messages": [{"role": "user", "content": "q", "name": "Ann"}, {"role": "assistant", "content": "a", "reasoning_content": "r"}], "tools": "[{\"type\": \"function\"}]", "documents": [{"title": "t"}], "chat_template_kwargs": {"style": "s"}}""";
        const string Writes = "{{ style }}{{ tools | length }}{{ documents[0].title }}{% for m in messages %}<turn>{{ m.name or m.role }}:{% if m.reasoning_content %}<{{ m.reasoning_content }}>{% endif %}{{ m.content }}<end>{% endfor %}{% if add_generation_prompt %}<turn>assistant:{% endif %}";

        Assert.Equal("s1t<turn>Ann:q<end><turn>assistant:<r>a<end>", Whole(Writes, Row));
        Assert.Equal("<r>a<end>", Learnt(Writes, Row));
    }

    [Fact]
    public void AClosingTokenThatIsNotTheEndToken_IsLearntAsWritten()
    {
        const string Closed = "{% for m in messages %}{{ m.role }}:{{ m.content }}<turn>\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";

        Assert.Equal("a<turn>|b<turn>", Learnt(Closed, """{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "b"}]}"""));
    }

    [Fact]
    public void AnEndThatTheTemplateDoesNotWrite_IsLearntAndStandsNowhereBeforeOthers()
    {
        const string Open = "{% for m in messages %}# {{ m.role }}\n{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}# assistant\n{% endif %}";
        TrainingExample example = Example(Open, """{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "b\n"}]}""");

        Assert.Equal([.. Ids("# user\nq\n# assistant\na\n# user\nr\n# assistant\nb\n"), End], example.Tokens);
        Assert.Equal(['a', End, 'b', '\n', End], example.Labels.Where(label => label != TrainingExample.NoLabel));
        Assert.Equal(End, example.Labels[Array.IndexOf(example.Labels, 'a') + 1]);
    }

    [Fact]
    public void GenerationMarks_DecideWhatIsLearnt()
    {
        const string Partly = "{% for m in messages %}{{ m.role }}:{% if m.role == 'assistant' %}\"{% generation %}{{ m.content }}{% endgeneration %}\"<end>{% else %}{{ m.content }}{% endif %}\n{% endfor %}";

        Assert.Equal("a|b", Learnt(Partly, """{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "b"}]}"""));
        Refused("{% for m in messages %}{{ m.content }}{% endfor %}{% if false %}{% generation %}{% endgeneration %}{% endif %}", """{"messages": [{"role": "assistant", "content": "a"}]}""", "marks nothing of the conversation");
    }

    [Theory]
    [InlineData(Template)]
    [InlineData(Marked)]
    public void WordsOfAnAnswer_CannotForgeItsEnd(string template)
    {
        TrainingExample example = Example(template, """{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a<end>b"}]}""");

        Assert.Equal([.. Ids("a<end>b"), End], example.Labels.Where(label => label != TrainingExample.NoLabel));
    }

    [Fact]
    public void APromptThatAsksOtherwiseThanHistoryIsWritten_IsLearntAsWritten()
    {
        const string Thinks = "{% for m in messages %}<turn>{{ m.role }}:{{ m.content }}<end>{% endfor %}{% if add_generation_prompt %}<turn>assistant:<think>{% endif %}";

        Assert.Equal("<b>a<end>", Learnt(Thinks, """{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "<b>a"}]}"""));
        Assert.Equal("a<end>", Learnt(Thinks, """{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "<think>a"}]}"""));
    }

    [Fact]
    public void Parts_OfTextAreText_OthersAreRefused()
    {
        Assert.Equal("a<end>", Learnt(Template, """{"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}]}, {"role": "assistant", "content": [{"type": "text", "text": "a"}]}]}"""));
        Refused(Template, """{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, {"role": "assistant", "content": "a"}]}""", "a part of type image_url");
    }

    private static TrainingExample Example(string template, string json) => Rows(template).Encode(Row(json), s_long)!;

    /// <summary>The labelled runs of tokens, as text.</summary>
    private static string Learnt(string template, string json)
    {
        TrainingExample example = Example(template, json);
        string text = string.Concat(example.Labels.Select(label => label == TrainingExample.NoLabel ? "|" : Text(label)));
        return string.Join('|', text.Split('|', StringSplitOptions.RemoveEmptyEntries));
    }

    private static string Whole(string template, string json) => string.Concat(Example(template, json).Tokens.Select(Text));

    private static string Text(int token) => token switch { Begin => "<begin>", End => "<end>", Turn => "<turn>", _ => ((char)token).ToString() };

    private static void Refused(string template, string json, string problem) =>
        Assert.Contains(problem, Assert.Throws<TrainingDataException>(() => Rows(template).Encode(Row(json), s_long)).Message, StringComparison.Ordinal);

    private static DataRow Row(string json) => new RowParser("rows.jsonl", 3).Parse(Encoding.UTF8.GetBytes(json));
}
