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

    [Theory]
    [InlineData("--batch", "1,x")]
    [InlineData("--batch", "0")]
    [InlineData("--rank", "0")]
    [InlineData("--prompt-tokens", "100000")]
    public async Task Numbers_ThatCannotBe_AreRefused(string option, string value) =>
        Assert.Contains(option, await CommandRun.MisuseAsync("bench", "decode", "--model", files.Model, option, value), StringComparison.Ordinal);

    private Task<CommandRun> RunAsync(string bench, params string[] more) => CommandRun.SuccessAsync(["bench", bench, "--model", files.Model, "--json", .. s_small, .. more]);
}
