using System.Text.Json;
using LoraServe.Testing;

namespace LoraServe.Cli.Tests.Verbs;

public sealed class GenerateVerbTests(TinyFiles files) : IClassFixture<TinyFiles>
{
    private string[] Arguments => ["generate", "--model", files.Model, "--arithmetic", "exact", "--prompt", "abc", "--max-tokens", "6"];

    [Fact]
    public async Task Json_OfTheBase_HasTokensUsageAndNoAdapters()
    {
        JsonElement answer = (await CommandRun.SuccessAsync([.. Arguments, "--json"])).Json;

        Assert.InRange(answer.GetProperty("token_ids").GetArrayLength(), 1, 6);
        Assert.Equal(3, answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        Assert.Contains(answer.GetProperty("finish_reason").GetString(), new[] { "stop", "length" });
        Assert.Equal(0, answer.GetProperty("adapters").GetArrayLength());
    }

    [Fact]
    public async Task Json_WithAStack_NamesVersionsDigestsAndWeights()
    {
        string[] adapters = ["--adapter", $"a={files.Adapter("generate-a", 1)}", "--adapter", $"b={files.Adapter("generate-b", 2)}"];

        JsonElement answer = (await CommandRun.SuccessAsync([.. Arguments, .. adapters, "--use", "b:0.5+a", "--json"])).Json;

        JsonElement[] served = [.. answer.GetProperty("adapters").EnumerateArray()];
        Assert.Equal(["b", "a"], served.Select(adapter => adapter.GetProperty("name").GetString()));
        Assert.Equal([0.5f, 1], served.Select(adapter => adapter.GetProperty("weight").GetSingle()));
        Assert.All(served, adapter => Assert.Equal((1, 64), (adapter.GetProperty("version").GetInt32(), adapter.GetProperty("digest").GetString()!.Length)));
    }

    [Fact]
    public async Task Method_CombinesAsMergeDoes()
    {
        using var folder = new TemporaryDirectory();
        (string a, string b) = (files.Adapter("combine-a", 1), files.Adapter("combine-b", 2));
        string[] method = ["--method", "ties_svd", "--rank", "2", "--density", "0.5"];
        await CommandRun.SuccessAsync(["adapters", "merge", "--out", folder.File("merged"), "--model", files.Model, "--adapter", $"{a}:0.5", "--adapter", b, .. method]);

        string merged = (await CommandRun.SuccessAsync([.. Arguments, "--adapter", folder.File("merged")])).Output;
        string combined = (await CommandRun.SuccessAsync([.. Arguments, "--adapter", $"a={a}", "--adapter", $"b={b}", "--use", "a:0.5+b", .. method])).Output;

        Assert.Equal(merged, combined);
        Assert.Contains("--density is 0", await CommandRun.MisuseAsync([.. Arguments, "--adapter", a, "--method", "ties", "--density", "0"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_IsTheTextOfJson()
    {
        string json = (await CommandRun.SuccessAsync([.. Arguments, "--json"])).Json.GetProperty("text").GetString()!;

        string text = (await CommandRun.SuccessAsync(Arguments)).Output;

        Assert.Equal($"{json}\n", text);
    }

    [Fact]
    public async Task Seed_GivesTheSameAnswerTwice()
    {
        string[] sampled = [.. Arguments, "--temperature", "1.5", "--seed", "7", "--json"];

        string first = (await CommandRun.SuccessAsync(sampled)).Output;

        Assert.Equal(first, (await CommandRun.SuccessAsync(sampled)).Output);
    }

    [Fact]
    public async Task Chat_PutsThePromptThroughTheTemplate()
    {
        JsonElement answer = (await CommandRun.SuccessAsync([.. Arguments, "--chat", "--json"])).Json;

        Assert.Equal("[user]abc".Length, answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
    }

    [Theory]
    [InlineData("--temperature", "NaN", "NaN")]
    [InlineData("--max-tokens", "0", "--max-tokens is 0; expected at least 1")]
    [InlineData("--use", "unknown", "unknown")]
    [InlineData("--use", "a:heavy", "heavy")]
    [InlineData("--adapter", "a=", "NAME=DIR")]
    [InlineData("--adapter", "=folder", "NAME=DIR")]
    [InlineData("--adapter", "", "NAME=DIR")]
    [InlineData("--threads", "-1", "--threads")]
    public async Task Options_ThatCannotBe_AreRefused(string option, string value, string named)
    {
        string refusal = await CommandRun.MisuseAsync("generate", "--model", files.Model, "--prompt", "abc", option, value);

        Assert.Contains(named, refusal, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("a=no-such-folder")]
    [InlineData("no-such-folder")]
    public async Task Adapter_ThatIsNotThere_IsNamed(string adapter) =>
        Assert.Contains("no-such-folder: no such directory", await CommandRun.RefusalAsync([.. Arguments, "--adapter", adapter]), StringComparison.Ordinal);

    [Fact]
    public async Task Adapter_WithoutAName_IsCalledAsItsFolder()
    {
        string folder = files.Adapter("style", 2);

        string named = (await CommandRun.SuccessAsync([.. Arguments, "--json", "--adapter", $"style={folder}"])).Output;

        Assert.Equal(named, (await CommandRun.SuccessAsync([.. Arguments, "--json", "--adapter", folder])).Output);
        Assert.Equal(named, (await CommandRun.SuccessAsync([.. Arguments, "--json", "--adapter", $"{folder}{Path.DirectorySeparatorChar}", "--use", "style"])).Output);
    }

    [Fact]
    public async Task Adapters_OfOneName_AreRefused()
    {
        string refusal = await CommandRun.MisuseAsync([.. Arguments, "--adapter", "a=x", "--adapter", "a=y"]);

        Assert.Contains("'a'", refusal, StringComparison.Ordinal);
    }
}
