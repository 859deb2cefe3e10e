using System.Text.Json;
using LoraServe.Testing;

namespace LoraServe.Cli.Tests.Verbs;

public sealed class TokenizeVerbTests(TinyFiles files) : IClassFixture<TinyFiles>
{
    private static readonly string s_tokenizer = Repository.Fixture("tokenizers/gpt2-style");

    [Fact]
    public async Task Text_EqualsTheGoldens()
    {
        foreach (string line in File.ReadLines(Path.Combine(s_tokenizer, "cases.jsonl")).Take(20))
        {
            var golden = JsonElement.Parse(line);
            string text = files.Write("text.txt", golden.GetProperty("text").GetString()!);
            string[] special = golden.GetProperty("add_special_tokens").GetBoolean() ? ["--add-special-tokens"] : [];

            JsonElement found = (await CommandRun.SuccessAsync(["tokenize", "--model", s_tokenizer, "--file", text, "--json", .. special])).Json;

            Assert.Equal(Ids(golden), Ids(found));
        }
    }

    [Fact]
    public async Task Plain_PrintsTheIds()
    {
        CommandRun run = await CommandRun.SuccessAsync("tokenize", "--model", files.Model, "--text", "abc");

        Assert.Equal("97 98 99\n", run.Output);
    }

    [Theory]
    [InlineData(2, "Give either --text or --file")]
    [InlineData(2, "Give either --text or --file", "--text", "x", "--file", "y")]
    [InlineData(1, "no-such-file.txt: no such file", "--file", "no-such-file.txt")]
    public async Task Input_ThatIsMissingOrDouble_IsRefused(int code, string reason, params string[] input) =>
        Assert.Contains(reason, await CommandRun.ErrorAsync(code, ["tokenize", "--model", s_tokenizer, .. input]), StringComparison.Ordinal);

    private static int[] Ids(JsonElement tokens) => [.. tokens.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
}
