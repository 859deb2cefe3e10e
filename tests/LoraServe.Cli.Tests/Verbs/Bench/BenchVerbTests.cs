using System.Text.Json;

namespace LoraServe.Cli.Tests.Verbs.Bench;

public sealed class BenchVerbTests(TinyFiles files) : IClassFixture<TinyFiles>
{
    private static readonly string[] s_small = ["--tokens", "4", "--repeat", "2", "--prompt-tokens", "20", "--threads", "1"];

    [Fact]
    public async Task Decode_PrintsAnObjectForEachBatchWithoutAllocating()
    {
        JsonElement[] results = (await RunAsync("decode", "--batch", "1,3")).JsonLines;

        Assert.Equal([1, 3], results.Select(result => result.GetProperty("batch").GetInt32()));
        Assert.All(results, result =>
        {
            Assert.True(result.GetProperty("tokens_per_s").GetDouble() >= result.GetProperty("median_tokens_per_s").GetDouble());
            Assert.True(result.GetProperty("ratio_to_bandwidth").GetDouble() > 0);
            Assert.Equal(1, result.GetProperty("machine").GetProperty("threads").GetInt32());
            Assert.NotEmpty(result.GetProperty("machine").GetProperty("instruction_set").GetString()!);
        });
    }

    [Fact]
    public async Task Mixed_ComparesWithNoAdapters()
    {
        JsonElement[] results = (await RunAsync("mixed", "--batch", "4", "--adapters", "4", "--rank", "2")).JsonLines;

        Assert.Equal([0, 4], results.Select(result => result.GetProperty("adapters").GetInt32()));
        Assert.False(results[0].TryGetProperty("ratio_to_no_adapters", out _));
        Assert.True(results[1].GetProperty("ratio_to_no_adapters").GetDouble() > 0);
    }

    [Fact]
    public async Task Mixed_MoreAdapters_AreMeasuredInSteps()
    {
        JsonElement[] results = (await CommandRun.SuccessAsync(
            ["bench", "mixed", "--model", "random:tiny", "--json", "--batch", "1,40", "--adapters", "40", "--targets", "all", .. s_small])).JsonLines;

        Assert.Equal([0, 1, 0, 8, 32, 40], results.Select(result => result.GetProperty("adapters").GetInt32()));
        Assert.All(results, result => Assert.Equal("random:tiny", result.GetProperty("model").GetString()));
        Assert.Equal("all-linear", results[^1].GetProperty("targets")[0].GetString());
        Assert.False(results[0].TryGetProperty("targets", out _));
        Assert.All(results, result => Assert.Equal(
            result.GetProperty("ratio_to_bandwidth").GetDouble() >= result.GetProperty("ratio_to_float_peak").GetDouble() ? "memory" : "peak", result.GetProperty("binds").GetString()));
    }

    [Fact]
    public async Task Prefill_WithAdaptersInStepsOfSomeRows_ComparesWithNone()
    {
        JsonElement[] results = (await RunAsync("prefill", "--batch", "3", "--adapters", "2", "--targets", "q,down", "--step-rows", "7")).JsonLines;

        Assert.Equal([0, 2], results.Select(result => result.GetProperty("adapters").GetInt32()));
        Assert.Equal(["q_proj", "down_proj"], results[1].GetProperty("targets").EnumerateArray().Select(name => name.GetString()));
        Assert.True(results[1].GetProperty("ratio_to_no_adapters").GetDouble() > 0);
    }

    [Fact]
    public async Task Table_SaysDeviceTypeLimitsAndWhatBinds()
    {
        string output = (await CommandRun.SuccessAsync(["bench", "mixed", "--model", "random:tiny", "--device", "cpu", "--batch", "2", .. s_small])).Output;

        Assert.StartsWith("mixed, random:tiny on cpu, adapters of rank 8 at q_proj, v_proj", output, StringComparison.Ordinal);
        Assert.Matches(@"0\.\d\d\*", output);
        Assert.Matches(@"device cpu: .+, 1 threads", output);
        Assert.Matches(@"limits measured: [\d.]+ GB/s, \d+ GFLOP/s \(float32\)", output);
        Assert.All(output.Split('\n'), line => Assert.True(line.StartsWith("device ", StringComparison.Ordinal) || line.Length <= 80, line));
    }

    [Theory]
    [InlineData("prefill", "tokens_per_s")]
    [InlineData("load", "adapter_load_ms")]
    public async Task Others_PrintOneObject(string bench, string field)
    {
        JsonElement result = Assert.Single((await RunAsync(bench)).JsonLines);

        Assert.Equal(bench, result.GetProperty("bench").GetString());
        Assert.True(result.GetProperty(field).GetDouble() > 0);
    }

    [Fact]
    public async Task Train_PrintsSpeedAndMemory()
    {
        JsonElement result = (await CommandRun.SuccessAsync("bench", "train", "--model", files.Model, "--batch-rows", "2", "--length", "12", "--repeat", "2", "--threads", "1", "--json")).Json;

        Assert.True(result.GetProperty("tokens_per_s").GetDouble() > result.GetProperty("rows_per_s").GetDouble());
        Assert.True(result.GetProperty("ratio_to_float_peak").GetDouble() >= result.GetProperty("median_ratio_to_float_peak").GetDouble());
        Assert.True(result.GetProperty("peak_memory_bytes").GetInt64() > result.GetProperty("base_bytes").GetInt64());
    }

    [Fact]
    public async Task Train_SeveralAdapters_ShareTheRows()
    {
        string[] run = ["bench", "train", "--model", "random:tiny", "--length", "12", "--repeat", "1", "--threads", "1", "--targets", "all"];

        JsonElement result = (await CommandRun.SuccessAsync([.. run, "--adapters", "3", "--batch-rows", "4", "--json"])).Json;

        Assert.Equal((3, 4), (result.GetProperty("adapters").GetInt32(), result.GetProperty("batch_rows").GetInt32()));
        Assert.StartsWith("train, random:tiny on ", (await CommandRun.SuccessAsync([.. run, "--adapters", "2"])).Output, StringComparison.Ordinal);
        Assert.Contains("--batch-rows is 4", await CommandRun.MisuseAsync([.. run, "--adapters", "5", "--batch-rows", "4"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("random:huge", "expected random: and one of tiny, smollm2-135m, llama-1b, llama-7b, llama-8b")]
    [InlineData("random:", "expected random: and one of tiny,")]
    public async Task Shape_ThatIsUnknown_IsRefused(string model, string expected) =>
        Assert.Contains(expected, await CommandRun.MisuseAsync("bench", "decode", "--model", model), StringComparison.Ordinal);

    [Fact]
    public async Task Target_ThatIsUnknown_IsRefused() =>
        Assert.Contains("'nose' is none of the model's modules; expected some of q_proj,", await CommandRun.MisuseAsync("bench", "mixed", "--model", "random:tiny", "--targets", "q,nose"), StringComparison.Ordinal);

    [Theory]
    [InlineData("--batch", "1,x")]
    [InlineData("--batch", "0")]
    [InlineData("--rank", "0")]
    [InlineData("--prompt-tokens", "100000")]
    public async Task Numbers_ThatCannotBe_AreRefused(string option, string value) =>
        Assert.Contains(option, await CommandRun.MisuseAsync("bench", "decode", "--model", files.Model, option, value), StringComparison.Ordinal);

    private Task<CommandRun> RunAsync(string bench, params string[] more) => CommandRun.SuccessAsync(["bench", bench, "--model", files.Model, "--json", .. s_small, .. more]);
}
