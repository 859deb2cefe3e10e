using LoraServe.Models.Backward;
using LoraServe.Training.Data;
using static LoraServe.Training.Tests.Data.ByteTokenizer;

namespace LoraServe.Training.Tests.Data;

public sealed class RowTokenizerTests
{
    private const int No = TrainingExample.NoLabel;
    private static readonly ExampleOptions s_long = new() { MaximumLength = 1000 };

    [Fact]
    public void Encode_OfACompletion_LabelsItAndTheEnd()
    {
        TrainingExample example = Rows().Encode(Row("""{"prompt": "ab", "completion": " c"}"""), s_long)!;

        Assert.Equal(['a', 'b', ' ', 'c', End], example.Tokens);
        Assert.Equal([No, No, ' ', 'c', End], example.Labels);
    }

    [Fact]
    public void Encode_OfAText_LabelsAll()
    {
        TrainingExample example = Rows().Encode(Row("""{"text": "abc"}"""), s_long)!;

        Assert.Equal(['a', 'b', 'c', End], example.Tokens);
        Assert.Equal(example.Tokens, example.Labels);
    }

    [Fact]
    public void Encode_ForAModelWithABeginToken_StartsWithIt()
    {
        Assert.Equal([No, 'a', End], Rows(beginsTexts: true).Encode(Row("""{"text": "a"}"""), s_long)!.Labels);
        Assert.Equal([Begin, 'a', 'b', End], Rows(beginsTexts: true).Encode(Row("""{"prompt": "a", "completion": "b"}"""), s_long)!.Tokens);
    }

    [Fact]
    public void Encode_OfAConversation_LabelsEveryAssistantTurn()
    {
        TrainingExample example = Rows().Encode(Row("""{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "b"}]}"""), s_long)!;

        int[] question = [Turn, .. Ids("user:q"), End, '\n', Turn, .. Ids("assistant:")];
        int[] next = ['\n', Turn, .. Ids("user:r"), End, '\n', Turn, .. Ids("assistant:")];
        Assert.Equal([.. question, 'a', End, .. next, 'b', End], example.Tokens);
        Assert.Equal([.. Unlabelled(question), 'a', End, .. Unlabelled(next), 'b', End], example.Labels);
    }

    [Fact]
    public void Encode_WithATemplateThatTrims_LearnsWhatItWrites()
    {
        RowTokenizer tokenizer = Rows("{% for m in messages %}{% if m.role == 'user' %}[{{ m.content }}]{% else %} {{ m.content | trim }} <end>{% endif %}{% endfor %}");

        TrainingExample example = tokenizer.Encode(Row("""{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": " a\n"}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "b"}]}"""), s_long)!;

        Assert.Equal(['[', 'q', ']', ' ', 'a', ' ', End, '[', 'r', ']', ' ', 'b', ' ', End], example.Tokens);
        Assert.Equal([No, No, No, ' ', 'a', ' ', End, No, No, No, ' ', 'b', ' ', End], example.Labels);
    }

    [Fact]
    public void Encode_WithATemplateThatRewritesEarlierTurns_IsRefused()
    {
        RowTokenizer tokenizer = Rows("{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}");

        string message = Assert.Throws<TrainingDataException>(() => tokenizer.Encode(
            Row("""{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "b"}]}"""), s_long)).Message;

        Assert.Contains("line 3: the chat template writes earlier turns otherwise", message, StringComparison.Ordinal);
        Assert.Equal(4, tokenizer.Encode(Row("""{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}"""), s_long)!.Tokens.Length);
    }

    [Theory]
    [InlineData(null, "has messages, but the model has no chat template")]
    [InlineData("{{ raise_exception('roles must alternate') }}", "roles must alternate")]
    public void Encode_OfAConversationThatTheModelDoesNotTake_IsRefused(string? template, string problem)
    {
        DataRow row = Row("""{"messages": [{"role": "assistant", "content": "a"}]}""");

        string message = Assert.Throws<TrainingDataException>(() => Rows(template).Encode(row, s_long)).Message;

        Assert.Contains("rows.jsonl, line 3: ", message, StringComparison.Ordinal);
        Assert.Contains(problem, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_OfTextThatSpellsSpecialTokens_TakesThemForText()
    {
        TrainingExample example = Rows().Encode(Row("""{"prompt": "<turn>", "completion": "<end>"}"""), s_long)!;

        Assert.Equal([.. Ids("<turn><end>"), End], example.Tokens);
    }

    [Theory]
    [InlineData(5, 5)]
    [InlineData(4, 4)]
    [InlineData(3, 3)]
    [InlineData(2, null)]
    [InlineData(0, null)]
    public void Encode_OfALongRow_CutsOnTheRight(int maximum, int? kept)
    {
        TrainingExample? example = Rows().Encode(Row("""{"prompt": "ab", "completion": " c"}"""), s_long with { MaximumLength = maximum });

        Assert.Equal(kept, example?.Tokens.Length);
        Assert.Equal(kept, example?.Labels.Length);
    }

    [Fact]
    public void Encode_OfALongConversation_EndsWithinAPrompt()
    {
        DataRow row = Row("""{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "b"}]}""");
        int[] whole = Rows().Encode(row, s_long)!.Labels;

        Assert.All(Enumerable.Range(1, whole.Length), maximum => Assert.Equal(
            whole.Take(maximum).Skip(1).Any(label => label != No) ? whole.Take(maximum) : null,
            Rows().Encode(row, s_long with { MaximumLength = maximum })?.Labels));
    }

    [Fact]
    public void Encode_WithLabelsOnPrompts_LabelsAll()
    {
        TrainingExample example = Rows().Encode(
            Row("""{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "b"}]}"""),
            s_long with { LabelsPrompts = true })!;

        Assert.Equal(example.Tokens, example.Labels);
    }

    [Fact]
    public void EncodePair_HasThePromptInBoth()
    {
        PreferenceExample pair = Rows().EncodePair(Row("""{"prompt": "p", "chosen": "c", "rejected": "rr"}"""), s_long)!;

        Assert.Equal(['p', 'c', End], pair.Chosen.Tokens);
        Assert.Equal(['p', 'r', 'r', End], pair.Rejected.Tokens);
        Assert.Equal([No, 'r', 'r', End], pair.Rejected.Labels);
        Assert.Null(Rows().EncodePair(Row("""{"prompt": "p", "chosen": "c", "rejected": "rr"}"""), s_long with { MaximumLength = 1 }));
    }

    [Fact]
    public void Encode_ATokenThatTheModelDoesNotKnow_IsRefused() => Assert.Contains(
        "line 3: becomes token 122, and the model knows 122 tokens alone",
        Assert.Throws<TrainingDataException>(() => Rows(vocabularySize: 'z').Encode(Row("""{"prompt": "a", "completion": "z"}"""), s_long)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void EncodePair_OfAnotherKind_IsRefused() =>
        Assert.Contains("line 3: a row of kind Text; expected prompt, chosen and rejected", Assert.Throws<TrainingDataException>(() => Rows().EncodePair(Row("""{"text": "a"}"""), s_long)).Message, StringComparison.Ordinal);

    private static DataRow Row(string json) => new RowParser("rows.jsonl", 3).Parse(System.Text.Encoding.UTF8.GetBytes(json));

    private static IEnumerable<int> Unlabelled(int[] tokens) => tokens.Select(_ => No);
}
