using System.Text;
using LoraServe.Models.Backward;
using LoraServe.Training.Data;
using static LoraServe.Training.Tests.Data.ByteTokenizer;

namespace LoraServe.Training.Tests.Data;

/// <summary>Rows in the forms in which they are exchanged come to the same as in our own.</summary>
public sealed class RowFormatsTests
{
    private const string Question = """{"role": "user", "content": "q"}""";
    private const string Answer = """{"role": "assistant", "content": "a"}""";
    private const string Other = """{"role": "assistant", "content": "b"}""";
    private static readonly ExampleOptions s_long = new() { MaximumLength = 10_000 };

    public static TheoryData<string, RowFormat> Single => new()
    {
        { $$"""{"messages": [{{Question}}, {{Answer}}]}""", RowFormat.Messages },
        { $$"""{"messages": [{{Question}}, {{Answer}}], "parallel_tool_calls": false, "tools": [], "prompt": null, "id": 7}""", RowFormat.Messages },
        { """{"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}""", RowFormat.ShareGpt },
        { $$"""{"conversations": [{{Question}}, {{Answer}}]}""", RowFormat.ShareGpt },
        { """{"instruction": "q", "input": "", "output": "a"}""", RowFormat.Alpaca },
        { """{"instruction": "", "input": "q", "output": "a", "system": "", "history": []}""", RowFormat.Alpaca },
        { $$"""{"prompt": [{{Question}}], "completion": [{{Answer}}]}""", RowFormat.Prompt },
        { $$"""{"prompt": [{{Question}}], "completion": {{Answer}}}""", RowFormat.Prompt },
        { $$"""{"prompt": [{{Question}}], "completion": "a"}""", RowFormat.Prompt },
    };

    public static TheoryData<string> Pairs =>
    [
        $$"""{"prompt": [{{Question}}], "chosen": [{{Answer}}], "rejected": [{{Other}}]}""",
        $$"""{"prompt": "q", "chosen": [{{Answer}}], "rejected": [{{Other}}]}""",
        $$"""{"prompt": "q", "chosen": [{{Question}}, {{Answer}}], "rejected": [{{Question}}, {{Other}}]}""",
        $$"""{"chosen": [{{Question}}, {{Answer}}], "rejected": [{{Question}}, {{Other}}]}""",
        """{"conversations": [{"from": "human", "value": "q"}], "chosen": {"from": "gpt", "value": "a"}, "rejected": {"from": "gpt", "value": "b"}}""",
        """{"instruction": "q", "input": "", "chosen": "a", "rejected": "b"}""",
        $$"""{"input": {"messages": [{{Question}}], "tools": [], "parallel_tool_calls": true}, "preferred_output": [{{Answer}}], "non_preferred_output": [{{Other}}]}""",
    ];

    [Theory]
    [MemberData(nameof(Single))]
    public void EveryForm_IsTheSameConversation(string row, RowFormat format)
    {
        DataRow read = Row(row);
        TrainingExample example = Rows().Encode(read, s_long)!;

        Assert.Equal(format, read.Format);
        Assert.Equal([Turn, .. Ids("user:q"), End, '\n', Turn, .. Ids("assistant:a"), End], example.Tokens);
        Assert.Equal(['a', End], example.Labels.Where(label => label != TrainingExample.NoLabel));
        Assert.Equal(example.Tokens, Rows().Encode(Row(row, format), s_long)!.Tokens);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void EveryFormOfPreference_IsTheSamePair(string row)
    {
        PreferenceExample pair = Rows().EncodePair(Row(row), s_long)!;

        int[] prompt = [Turn, .. Ids("user:q"), End, '\n', Turn, .. Ids("assistant:")];
        Assert.Equal([.. prompt, 'a', End], pair.Chosen.Tokens);
        Assert.Equal([.. prompt, 'b', End], pair.Rejected.Tokens);
        Assert.Equal(['b', End], pair.Rejected.Labels.Where(label => label != TrainingExample.NoLabel));
    }

    [Theory]
    [InlineData("Q: yes", "Q: no", "Q:", " yes", " no")]
    [InlineData("same", "same!", "sam", "e", "e!")]
    [InlineData("a", "b", "", "a", "b")]
    public void APreferenceWithoutPrompt_HasWhatBothBeginWith(string chosen, string rejected, string prompt, string first, string second)
    {
        DataRow row = Row($$"""{"chosen": "{{chosen}}", "rejected": "{{rejected}}"}""");

        Assert.Equal((prompt, first, second), (row.Prompt, row.Answer, row.Rejected));
    }

    [Fact]
    public void EarlierAnswersOfAPrompt_AreNotLearnt()
    {
        TrainingExample example = Rows().Encode(Row($$"""{"prompt": [{{Question}}, {{Other}}, {{Question}}], "completion": [{{Answer}}]}"""), s_long)!;

        Assert.Equal(['a', End], example.Labels.Where(label => label != TrainingExample.NoLabel));
    }

    [Fact]
    public void ShareGptWithSystemToolsAndCalls_IsAConversationWithTools()
    {
        const string Template = "{% if tools %}[{{ tools[0].name }}]{% endif %}{% for m in messages %}<turn>{{ m.role }}:{% if m.content %}{{ m.content }}{% endif %}{% for c in m.tool_calls or [] %}({{ c.function.name }}={{ c.function.arguments.x }}){% endfor %}<end>{% endfor %}{% if add_generation_prompt %}<turn>assistant:{% endif %}";
        TrainingExample example = Rows(Template).Encode(
            Row("""{"system": "s", "tools": "[{\"name\": \"f\"}]", "conversations": [{"from": "human", "value": "q"}, {"from": "function_call", "value": "{\"name\": \"f\", \"arguments\": {\"x\": 1}}"}, {"from": "observation", "value": "o"}, {"from": "gpt", "value": "a"}]}"""), s_long)!;

        Assert.Equal(
            [.. Ids("[f]"), Turn, .. Ids("system:s"), End, Turn, .. Ids("user:q"), End, Turn, .. Ids("assistant:(f=1)"), End, Turn, .. Ids("tool:o"), End, Turn, .. Ids("assistant:a"), End], example.Tokens);
    }

    [Fact]
    public void Alpaca_HasSystemAndHistory_AndItsOwnTextWithoutATemplate()
    {
        DataRow row = Row("""{"instruction": "i", "input": "n", "output": "o", "system": "s", "history": [["q", "a"]]}""");

        Assert.Equal(["s", "q", "a", "i\nn", "o"], row.Messages.Select(message => message.GetProperty("content").GetString()));
        Assert.Contains("no chat template", Assert.Throws<TrainingDataException>(() => Rows(template: null).Encode(row, s_long)).Message, StringComparison.Ordinal);
        DataTurn plain = Rows(template: null).Turns(Row("""{"instruction": "i", "input": "n", "output": "o"}"""))[0];
        Assert.Equal(("o", false), (plain.Answer, plain.IsTemplated));
        Assert.EndsWith("### Instruction:\ni\n\n### Input:\nn\n\n### Response:\n", plain.Prompt, StringComparison.Ordinal);
        Assert.DoesNotContain("Input", Rows(template: null).Turns(Row("""{"instruction": "i", "output": "o"}"""))[0].Prompt, StringComparison.Ordinal);
    }

    [Fact]
    public void FieldsThatSayNothingOfTheText_AreNamed() =>
        Assert.Equal(["id", "source"], Row("""{"id": 1, "text": "a", "source": "web", "score": null}""").Unread);

    [Theory]
    [InlineData("""{"prompt": "p", "completion": "c", "tools": [{"type": "function"}]}""", "\"tools\" stands beside prompt, completion")]
    [InlineData("""{"prompt": "p", "completion": "c", "label": false}""", "\"label\" stands beside")]
    [InlineData("""{"prompt": "p", "completion": "c", "system": "s"}""", "\"system\" stands beside")]
    [InlineData("""{"prompt": "p", "completion": "c", "weight": 0}""", "\"weight\" stands beside")]
    [InlineData("""{"text": "t", "images": ["x"]}""", "Models here read text alone")]
    [InlineData("""{"text": "t", "label": 1}""", "\"label\" stands beside text")]
    [InlineData("""{"messages": [{"role": "assistant", "content": "a"}], "functions": [{"name": "f"}]}""", "Write tools instead")]
    [InlineData("""{"messages": [{"role": "assistant", "content": "a"}], "conversations": []}""", "has both messages and conversations")]
    [InlineData("""{"messages": [{"role": "assistant", "content": "a"}], "tools": {}}""", "\"tools\" is a JSON Object")]
    [InlineData("""{"messages": [{"role": "assistant", "content": "a"}], "tools": "no json"}""", "\"tools\" is a text that is not JSON")]
    [InlineData("""{"messages": [{"role": "system", "content": "s"}, {"role": "assistant", "content": "a"}], "system": "t"}""", "stands beside a system message")]
    [InlineData("""{"conversations": [{"from": "alien", "value": "a"}]}""", "\"conversations[0].from\" is \"alien\"; expected human, user")]
    [InlineData("""{"conversations": [{"from": "function_call", "value": "f()"}]}""", "conversations[0].value\" is a text that is not JSON")]
    [InlineData("""{"instruction": "i", "output": "o", "history": [["q"]]}""", "\"history[]\" has 1 texts")]
    [InlineData("""{"completion": "c"}""", "expected prompt with completion")]
    [InlineData("""{"input": {"messages": [], "more": 1}, "preferred_output": [], "non_preferred_output": []}""", "input.more")]
    public void WhatWouldBeLost_IsRefusedByName(string row, string problem) =>
        Assert.Contains(problem, Assert.Throws<TrainingDataException>(() => Row(row)).Message, StringComparison.Ordinal);

    [Fact]
    public void AFormatThatIsForced_DecidesBetweenFields()
    {
        const string Both = """{"text": "t", "prompt": "p", "completion": "c"}""";

        Assert.Equal("t", Row(Both, RowFormat.Text).Answer);
        Assert.Equal(("p", "c"), (Row(Both, RowFormat.Prompt).Prompt, Row(Both, RowFormat.Prompt).Answer));
        Assert.Equal(["prompt", "completion"], Row(Both, RowFormat.Text).Unread);
        Assert.Contains("\"messages\" is missing", Assert.Throws<TrainingDataException>(() => Row(Both, RowFormat.Messages)).Message, StringComparison.Ordinal);
    }

    private static DataRow Row(string json, RowFormat format = RowFormat.Auto) => new RowParser("rows.jsonl", 3, format).Parse(Encoding.UTF8.GetBytes(json));
}
