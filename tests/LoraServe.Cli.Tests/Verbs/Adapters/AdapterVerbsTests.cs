using System.Text.Json;
using LoraServe.Testing;

namespace LoraServe.Cli.Tests.Verbs.Adapters;

public sealed class AdapterVerbsTests(TinyFiles files) : IClassFixture<TinyFiles>
{
    private static readonly string s_hostile = Repository.Fixture("adapters/hostile/adapter");

    public static TheoryData<string> HostileAdapters { get; } =
        [.. Directory.GetDirectories(s_hostile).Select(folder => Path.GetFileName(folder)!).Where(name => name != "valid").Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Inspect_ShowsWhatTheFilesSay()
    {
        string adapter = files.Adapter("inspected", 1, rank: 3, scale: 2);

        JsonElement found = (await CommandRun.SuccessAsync("adapters", "inspect", adapter, "--model", files.Model, "--json")).Json;
        string text = (await CommandRun.SuccessAsync("adapters", "inspect", adapter)).Output;

        Assert.Equal(("LORA", 3, 6.0), (found.GetProperty("method").GetString(), found.GetProperty("rank").GetInt32(), found.GetProperty("alpha").GetDouble()));
        Assert.Equal(4, found.GetProperty("matched_modules").GetArrayLength());
        Assert.Contains(found.GetProperty("digest").GetString()!, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_OfAFittingAdapter_ReportsItsEffect()
    {
        JsonElement report = (await CommandRun.SuccessAsync("adapters", "verify", files.Adapter("verified", 1), "--model", files.Model, "--json")).Json;

        Assert.True(report.GetProperty("probe_logit_change").GetDouble() > 0);
        Assert.Equal(0, report.GetProperty("unmatched_modules").GetArrayLength());
    }

    [Theory]
    [MemberData(nameof(HostileAdapters))]
    public async Task Verify_OfAHostileAdapter_NeverEndsWithAStackTrace(string name)
    {
        CommandRun run = await CommandRun.OfAsync("adapters", "verify", Path.Combine(s_hostile, name), "--model", files.Model);

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_OfAnAdapterWithoutEffect_IsRefused() =>
        Assert.Contains("nothing", await CommandRun.RefusalAsync("adapters", "verify", files.Adapter("idle", 1, scale: 0), "--model", files.Model), StringComparison.Ordinal);

    [Fact]
    public async Task Merge_IntoTheBase_AnswersAsTheStackDoes()
    {
        string a = files.Adapter("merge-a", 1, scale: 0.2f);
        string b = files.Adapter("merge-b", 2, scale: 0.2f);
        string merged = files.PathOf("merged");

        await CommandRun.SuccessAsync("adapters", "merge", "--model", files.Model, "--adapter", a, "--adapter", $"{b}:0.5", "--out", merged);

        string stacked = await AnswerAsync(files.Model, "--adapter", $"a={a}", "--adapter", $"b={b}", "--use", "a+b:0.5");
        Assert.Equal(stacked, await AnswerAsync(merged));
    }

    [Fact]
    public async Task Merge_IntoTheAdaptersOwnFolder_IsRefused_AndWithOverwriteDone()
    {
        string adapter = files.Adapter("own", 1, scale: 0.2f);
        byte[] before = File.ReadAllBytes(Path.Combine(adapter, "adapter_model.safetensors"));
        string[] command = ["adapters", "merge", "--model", files.Model, "--adapter", adapter, "--into", "adapter", "--out", adapter];

        string refusal = await CommandRun.ErrorAsync(2, command);

        Assert.Contains("is there already. Name another path, or replace what is there with --overwrite.", refusal, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(adapter, "adapter_model.safetensors")));
        await CommandRun.SuccessAsync([.. command, "--overwrite"]);
        string converted = files.PathOf("own.gguf");
        await CommandRun.SuccessAsync("adapters", "convert", adapter, "--model", files.Model, "--out", converted);
        Assert.Contains("--overwrite", await CommandRun.ErrorAsync(2, ["adapters", "convert", adapter, "--model", files.Model, "--out", converted]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Merge_IntoAnAdapter_AnswersAsTheStackDoes()
    {
        string a = files.Adapter("cat-a", 1, rank: 2, scale: 0.2f);
        string b = files.Adapter("cat-b", 2, rank: 3, scale: 0.2f);
        string united = files.PathOf("united");

        await CommandRun.SuccessAsync("adapters", "merge", "--model", files.Model, "--adapter", a, "--adapter", $"{b}:0.5", "--into", "adapter", "--out", united);

        string stacked = await AnswerAsync(files.Model, "--adapter", $"a={a}", "--adapter", $"b={b}", "--use", "a+b:0.5");
        Assert.Equal(stacked, await AnswerAsync(files.Model, "--adapter", $"one={united}"));
    }

    [Theory]
    [InlineData("--method", "magic", 2, "magic")]
    [InlineData("--method", "linear", 1, "ranks")]
    [InlineData("--density", "2", 2, "density")]
    [InlineData("--rank", "0", 2, "--rank")]
    public async Task Merge_ThatCannotBe_IsRefused(string option, string value, int code, string named)
    {
        string[] adapters = ["--adapter", files.Adapter("odd-a", 1, rank: 2), "--adapter", files.Adapter("odd-b", 2, rank: 3)];

        string refusal = await CommandRun.ErrorAsync(code, ["adapters", "merge", "--model", files.Model, .. adapters, "--into", "adapter", "--out", files.PathOf("odd"), option, value]);

        Assert.Contains(named, refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Convert_KeepsWhatTheAdapterDoes()
    {
        string adapter = files.Adapter("original", 4, scale: 0.3f);
        string converted = files.PathOf("converted");

        await CommandRun.SuccessAsync("adapters", "convert", adapter, "--model", files.Model, "--out", converted);

        Assert.Equal(await AnswerAsync(files.Model, "--adapter", $"a={adapter}"), await AnswerAsync(files.Model, "--adapter", $"a={converted}"));
        await CommandRun.SuccessAsync("adapters", "convert", adapter, "--model", files.Model, "--out", $"{converted}.gguf");
        Assert.Equal(await AnswerAsync(files.Model, "--adapter", $"a={adapter}"), await AnswerAsync(files.Model, "--adapter", $"a={converted}.gguf"));
    }

    [Fact]
    public async Task List_OfAFolder_NamesDamagedAdaptersToo()
    {
        JsonElement[] listed = (await CommandRun.SuccessAsync("adapters", "list", "--adapter-root", s_hostile, "--json")).JsonLines;

        Assert.Contains(listed, adapter => adapter.GetProperty("name").GetString() == "valid" && adapter.GetProperty("method").GetString() == "LORA");
        Assert.Contains(listed, adapter => adapter.TryGetProperty("error", out _));
    }

    [Fact]
    public async Task List_OfAServerThatIsNotThere_SaysSo() =>
        Assert.Contains("http://localhost:1", await CommandRun.RefusalAsync("adapters", "list", "--address", "http://localhost:1"), StringComparison.Ordinal);

    private static async Task<string> AnswerAsync(string model, params string[] more)
    {
        CommandRun run = await CommandRun.SuccessAsync(["generate", "--model", model, "--arithmetic", "exact", "--prompt", "merge me", "--max-tokens", "12", "--json", .. more]);
        return string.Join(' ', run.Json.GetProperty("token_ids").EnumerateArray());
    }
}
