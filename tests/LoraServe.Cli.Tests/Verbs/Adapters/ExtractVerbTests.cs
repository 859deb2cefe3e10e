using System.Text.Json;
using LoraServe.Compute.Files;

namespace LoraServe.Cli.Tests.Verbs.Adapters;

public sealed class ExtractVerbTests(TinyFiles files) : IClassFixture<TinyFiles>
{
    private const int Rank = 3;
    private const float Tolerance = 1e-3f;

    [Fact]
    public async Task Extract_ModelWithAMergedAdapter_GivesTheSameLogits()
    {
        string merged = await MergedAsync("same");
        string extracted = files.PathOf("same-extracted");

        JsonElement report = (await CommandRun.SuccessAsync("adapters", "extract", "--base", files.Model, "--tuned", merged, "--out", extracted, "--rank", $"{Rank}", "--json")).Json;

        Assert.InRange(report.GetProperty("relative_error").GetDouble(), 0, 1e-5);
        Assert.Equal(4, report.GetProperty("modules").GetArrayLength());
        Assert.Equal(0, report.GetProperty("lost").GetArrayLength());
        float[] expected = await LogitsAsync("merged", "--model", merged);
        float[] found = await LogitsAsync("extracted", "--model", files.Model, "--adapter", extracted);
        Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, Tolerance));
    }

    [Theory]
    [InlineData("quality", 1e-3)]
    [InlineData("energy-squared", 0.2)]
    [InlineData("layers-energy", 0.2)]
    [InlineData("width", 1e-3)]
    [InlineData("parameters", 1e-3)]
    [InlineData("layers", 1e-3)]
    public async Task Extract_ByAPolicy_WritesAnAdapterThatLoads(string policy, double greatest)
    {
        string merged = await MergedAsync($"of-{policy}");
        string extracted = files.PathOf($"by-{policy}");

        JsonElement report = (await CommandRun.SuccessAsync(
            "adapters", "extract", "--base", files.Model, "--tuned", merged, "--out", extracted, "--overwrite", "--policy", policy, "--quality", "0.001", "--energy", "0.98", "--alpha", "5", "--json")).Json;

        Assert.Equal(policy, report.GetProperty("policy").GetString());
        Assert.InRange(report.GetProperty("relative_error").GetDouble(), 0, greatest);
        Assert.All(report.GetProperty("modules").EnumerateArray(), module => Assert.Equal(5, module.GetProperty("alpha").GetDouble(), 1e-5));
        await CommandRun.SuccessAsync("adapters", "verify", extracted, "--model", files.Model);
    }

    [Fact]
    public async Task Extract_TooLowARank_WarnsAndShowsEveryMap()
    {
        CommandRun run = await CommandRun.SuccessAsync(
            "adapters", "extract", "--base", files.Model, "--tuned", await MergedAsync("low"), "--out", files.PathOf("low-extracted"), "--rank", "1");

        Assert.Contains("warning: the adapter misses", run.Error, StringComparison.Ordinal);
        Assert.Contains("LoRA of 4 modules, rank 1", run.Output.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Extract_ChangesOutsideTheTargets_AreNamed()
    {
        CommandRun run = await CommandRun.SuccessAsync(
            "adapters", "extract", "--base", files.Model, "--tuned", await MergedAsync("part"), "--out", files.PathOf("part-extracted"), "--targets", "q_proj");

        Assert.Contains("model.layers.0.self_attn.v_proj.weight", run.Output.ReplaceLineEndings(""), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--rank", "0", 2, "--rank")]
    [InlineData("--policy", "magic", 2, "energy-squared")]
    [InlineData("--policy", "task", 1, "kind of task")]
    [InlineData("--targets", "w_proj", 1, "w_proj")]
    [InlineData("--energy", "1.5", 2, "--energy")]
    [InlineData("--alpha", "0", 2, "--alpha")]
    [InlineData("--quality", "1", 2, "--quality")]
    [InlineData("--max-rank", "-1", 2, "--max-rank")]
    public async Task Extract_WhatCannotBe_IsRefused(string option, string value, int code, string named)
    {
        string refusal = await CommandRun.ErrorAsync(
            code, "adapters", "extract", "--base", files.Model, "--tuned", await MergedAsync("refused"), "--out", files.PathOf("refused-extracted"), option, value);

        Assert.Contains(named, refusal, StringComparison.Ordinal);
        Assert.False(Directory.Exists(files.PathOf("refused-extracted")));
    }

    [Fact]
    public async Task Extract_OfTheBaseItself_IsRefused() =>
        Assert.Contains(
            "nothing to extract",
            await CommandRun.RefusalAsync("adapters", "extract", "--base", files.Model, "--tuned", files.Model, "--out", files.PathOf("nothing")),
            StringComparison.Ordinal);

    private async Task<string> MergedAsync(string name)
    {
        string merged = files.PathOf($"{name}-merged");
        await CommandRun.SuccessAsync("adapters", "merge", "--model", files.Model, "--adapter", files.Adapter($"{name}-adapter", 5, Rank, scale: 0.5f), "--out", merged, "--overwrite");
        return merged;
    }

    private async Task<float[]> LogitsAsync(string name, params string[] model)
    {
        string tokens = files.Write($"{name}-tokens.json", "[[1, 40, 77, 3, 250, 9, 9, 31], [5, 6]]");
        string file = files.PathOf($"{name}.safetensors");
        await CommandRun.SuccessAsync(["logits", .. model, "--tokens", tokens, "--out", file, "--arithmetic", "exact"]);
        using SafetensorsFile logits = SafetensorsFile.Open(file);
        return [.. logits.Tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal).SelectMany(tensor => tensor.Value.ToFloats())];
    }
}
