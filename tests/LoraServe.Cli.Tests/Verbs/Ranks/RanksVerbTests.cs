using System.Text.Json;

namespace LoraServe.Cli.Tests.Verbs.Ranks;

public sealed class RanksVerbTests(TinyFiles files) : IClassFixture<TinyFiles>
{
    [Fact]
    public async Task Ranks_ModelAlone_SaysWhatEachPolicyChoosesOrLacks()
    {
        string text = (await CommandRun.SuccessAsync("ranks", "--model", files.Model)).Output.ReplaceLineEndings(" ");

        Assert.Contains("14 linear maps", text, StringComparison.Ordinal);
        Assert.Contains("width: the model is 32 wide", text, StringComparison.Ordinal);
        Assert.Contains("task: needs the kind of task: add --task", text, StringComparison.Ordinal);
        Assert.Contains("add --energy 0.9", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ranks_WithDataAndEnergy_ChoosesByEveryPolicy()
    {
        string data = files.Write("ranks.jsonl", string.Concat(Enumerable.Range(0, 60).Select(row => $"{{\"prompt\": \"row {row} is \", \"completion\": \"{(row % 2 == 0 ? "even" : "odd")}\"}}\n")));

        JsonElement report = (await CommandRun.SuccessAsync("ranks", "--model", files.Model, "--data", data, "--energy", "0.9", "--targets", "q_proj,down_proj", "--json")).Json;

        Assert.Equal((60, 2), (report.GetProperty("data").GetProperty("rows").GetInt32(), report.GetProperty("data").GetProperty("distinct_completions").GetInt32()));
        JsonElement[] policies = [.. report.GetProperty("policies").EnumerateArray()];
        Assert.Equal(8, policies.Length);
        Assert.All(policies, policy =>
        {
            Assert.Equal(JsonValueKind.Null, policy.GetProperty("missing").ValueKind);
            Assert.Equal(4, policy.GetProperty("ranks").EnumerateObject().Count());
            Assert.InRange(policy.GetProperty("retained").GetDouble(), 0.01, 1);
            Assert.Equal(4 * policy.GetProperty("parameters").GetInt64(), policy.GetProperty("adapter_bytes").GetInt64());
        });
        JsonElement energy = policies.Single(policy => policy.GetProperty("policy").GetString() == "energy");
        Assert.InRange(energy.GetProperty("retained").GetDouble(), 0.9, 1);
        Assert.Contains("guessed", policies.Single(policy => policy.GetProperty("policy").GetString() == "task").GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--energy", "0", 2, "--energy")]
    [InlineData("--complexity", "2", 2, "--complexity")]
    [InlineData("--targets", "nothing_proj", 1, "nothing_proj")]
    [InlineData("--mlp-rank", "-3", 2, "--mlp-rank")]
    [InlineData("--sweep", "0", 2, "--sweep")]
    [InlineData("--data", "missing.jsonl", 1, "missing.jsonl")]
    public async Task Ranks_WhatCannotBe_IsRefused(string option, string value, int code, string named) =>
        Assert.Contains(named, await CommandRun.ErrorAsync(code, "ranks", "--model", files.Model, option, value), StringComparison.Ordinal);

    [Fact]
    public async Task Ranks_Sweep_TrainsAndChooses()
    {
        string data = files.Write("sweep.jsonl", string.Concat(Enumerable.Range(0, 8).Select(row => $"{{\"prompt\": \"row {row}\", \"completion\": \" {row % 2}\"}}\n")));

        JsonElement report = (await CommandRun.SuccessAsync(
            "ranks", "--model", files.Model, "--data", data, "--sweep", "2,4", "--rates", "1e-3", "--folds", "2", "--steps", "2", "--batch-rows", "2", "--json")).Json;

        Assert.Equal(2, report.GetProperty("candidates").GetArrayLength());
        Assert.True(report.GetProperty("chosen").GetProperty("loss").GetDouble() > 0);
    }

    [Fact]
    public async Task Ranks_DamagedData_IsRefusedWithItsLine()
    {
        string data = files.Write("damaged.jsonl", "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": 1}\n");

        Assert.Contains("line 2", await CommandRun.RefusalAsync("ranks", "--model", files.Model, "--data", data), StringComparison.Ordinal);
    }
}
