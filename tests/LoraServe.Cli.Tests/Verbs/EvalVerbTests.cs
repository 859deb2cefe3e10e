using System.Text.Json;

namespace LoraServe.Cli.Tests.Verbs;

public sealed class EvalVerbTests(TinyFiles files) : IClassFixture<TinyFiles>
{
    private const string Rows = """
        {"prompt": "a b", "completion": " c"}
        {"prompt": "d", "completion": " efgh"}
        {"prompt": "name[x]", "references": ["first", "second"]}
        {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]}
        {"text": "some text"}
        {"prompt": "p", "chosen": " yes", "rejected": " no"}
        """;

    [Fact]
    public async Task Json_CountsRowsAndTokensOfEveryKind()
    {
        JsonElement result = await EvaluateAsync(Rows);

        // Each answer is a token a byte and the end token; a text's first token is not scored. This chat template asks for no answer, so that who speaks is its part.
        int labelled = (2 + 1) + (5 + 1) + ("[assistant]".Length + 6 + 1) + (2 + 1) + 9 + (4 + 1);
        Assert.Equal((6, labelled, 0), (Int("rows"), Int("labelled_tokens"), Int("cut_rows")));
        Assert.Equal(0, result.GetProperty("exact_match").GetDouble());
        Assert.Equal(Math.Exp(result.GetProperty("loss").GetDouble()), result.GetProperty("perplexity").GetDouble(), precision: 9);

        int Int(string name) => result.GetProperty(name).GetInt32();
    }

    [Fact]
    public async Task ExactMatch_WithoutSuchRows_IsNull() =>
        Assert.Equal(JsonValueKind.Null, (await EvaluateAsync("""{"text": "some text"}""")).GetProperty("exact_match").ValueKind);

    [Fact]
    public async Task ExactMatch_OfTheModelsOwnAnswer_IsOne()
    {
        CommandRun run = await CommandRun.SuccessAsync("generate", "--model", files.Model, "--arithmetic", "exact", "--prompt", "abc", "--max-tokens", "3", "--json");
        string own = run.Json.GetProperty("text").GetString()!.Split('\n')[0];

        JsonElement result = await EvaluateAsync(JsonSerializer.Serialize(new { prompt = "abc", completion = own }), "--max-tokens", "3");

        Assert.Equal(1, result.GetProperty("exact_match").GetDouble());
    }

    [Fact]
    public async Task Loss_DependsOnTheAdapter()
    {
        double plain = (await EvaluateAsync(Rows)).GetProperty("loss").GetDouble();

        double adapted = (await EvaluateAsync(Rows, "--adapter", files.Adapter("eval", 3))).GetProperty("loss").GetDouble();

        Assert.True(Math.Abs(adapted - plain) > 1e-3, $"{adapted} with the adapter, {plain} without");
    }

    [Fact]
    public async Task Rows_LongerThanAllowed_AreCutAndCounted()
    {
        JsonElement result = await EvaluateAsync(Rows, "--max-length", "5", "--limit", "2");

        Assert.Equal((2, 2), (result.GetProperty("rows").GetInt32(), result.GetProperty("cut_rows").GetInt32()));
        Assert.Equal(2 + 4, result.GetProperty("labelled_tokens").GetInt32());
    }

    [Fact]
    public async Task Answers_AreWrittenRowByRow()
    {
        string answers = files.PathOf("answers.jsonl");

        await EvaluateAsync(Rows, "--answers", answers);

        JsonElement[] rows = [.. File.ReadLines(answers).Select(line => JsonElement.Parse(line))];
        Assert.Equal(Enumerable.Range(1, 6), rows.Select(row => row.GetProperty("line").GetInt32()));
        Assert.Equal("efgh", rows[1].GetProperty("expected").GetString());
        Assert.All(rows, row => Assert.True(row.GetProperty("loss").GetDouble() > 0));
    }

    [Theory]
    [InlineData("{\"prompt\": \"a\", \"completion\": \"b\"}\n{oops", "line 2")]
    [InlineData("[1]", "object")]
    [InlineData("{\"question\": \"a\"}", "line 1")]
    [InlineData("{\"prompt\": 1, \"completion\": \"b\"}", "prompt")]
    [InlineData("{\"messages\": [{\"role\": \"user\", \"content\": \"b\"}]}", "assistant")]
    [InlineData("\n", "no rows")]
    public async Task Data_ThatIsWrong_IsRefusedWithItsLine(string content, string named)
    {
        string data = files.Write("wrong.jsonl", content);

        string refusal = await CommandRun.RefusalAsync("eval", "--model", files.Model, "--data", data);

        Assert.Contains(named, refusal, StringComparison.Ordinal);
        Assert.Contains("wrong.jsonl", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--limit", "0")]
    [InlineData("--max-tokens", "-3")]
    [InlineData("--max-length", "0")]
    public async Task Numbers_BelowOne_AreRefused(string option, string value) =>
        Assert.Contains(option, await CommandRun.MisuseAsync("eval", "--model", files.Model, "--data", "x.jsonl", option, value), StringComparison.Ordinal);

    private async Task<JsonElement> EvaluateAsync(string rows, params string[] more)
    {
        string data = files.Write("rows.jsonl", rows);
        CommandRun run = await CommandRun.SuccessAsync(["eval", "--model", files.Model, "--arithmetic", "exact", "--data", data, "--json", .. more]);
        return run.Json;
    }
}
