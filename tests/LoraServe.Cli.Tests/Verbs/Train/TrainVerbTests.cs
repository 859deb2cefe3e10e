using System.Text.Json;

namespace LoraServe.Cli.Tests.Verbs.Train;

public sealed class TrainVerbTests(TinyFiles files) : IClassFixture<TinyFiles>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    [Theory]
    [InlineData("lora")]
    [InlineData("houlsby")]
    [InlineData("lora,prompt")]
    public async Task Train_LeavesAnAdapterALogAndAReport(string method)
    {
        CommandRun run = await RunAsync("--data", Rows(12), "--method", method, "--steps", "4", "--batch-rows", "3", "--eval-share", "0.25", "--json");

        Assert.Equal(0, run.ExitCode);
        JsonElement summary = Assert.Single(run.JsonLines);
        Assert.True(summary.GetProperty("trainable_parameters").GetInt64() > 0);
        Assert.Equal(4, File.ReadAllLines(At("out/metrics.jsonl")).Length);
        Assert.Contains("<svg", await File.ReadAllTextAsync(At("out/report.html")), StringComparison.Ordinal);
        Assert.NotEmpty(Directory.EnumerateFiles(At("out"), "adapter_config.json", SearchOption.AllDirectories));
        Assert.Contains("step 4/4", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_ResultAnswers()
    {
        await RunAsync("--data", Rows(12), "--rank", "2", "--steps", "2", "--batch-rows", "3");
        CommandRun run = await CommandRun.OfAsync("generate", "--model", files.Model, "--adapter", $"mine={At("out")}", "--use", "mine", "--prompt", "row 1", "--max-tokens", "2");
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Train_SettingsFile_IsReadAndOptionsComeFirst()
    {
        File.WriteAllText(At("settings.json"), $$"""{ "data_file": {{JsonSerializer.Serialize(Rows(8))}}, "method": "ia3", "steps": 5, "optimizer": { "kind": "sgd" } }""");
        CommandRun run = await RunAsync("--config", At("settings.json"), "--steps", "2", "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(2, File.ReadAllLines(At("out/metrics.jsonl")).Length);
        Assert.Equal("ia3", Assert.Single(run.JsonLines).GetProperty("method").GetString());
    }

    [Fact]
    public async Task Train_SettingThatIsNone_ListsThoseThereAre()
    {
        File.WriteAllText(At("settings.json"), "{\n  \"steps\": 2,\n  \"lr\": 1 }");
        CommandRun run = await RunAsync("--config", At("settings.json"));
        Assert.Contains("settings.json, line 3: there is no setting lr; expected method, data_file,", run.Error, StringComparison.Ordinal);

        File.WriteAllText(At("settings.json"), """{ "optimizer": { "name": "sgd" } }""");
        run = await RunAsync("--config", At("settings.json"));
        Assert.Contains("line 1: there is no setting name; expected kind, beta1,", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_OutIsAFile_SaysSo()
    {
        string file = Rows(4);
        CommandRun run = await CommandRun.OfAsync("train", "--model", files.Model, "--data", file, "--out", file);
        Assert.Contains("the run's folder cannot be made, since that is a file. Name another folder.", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("error: Cannot parse argument 'abc' for option '--lr' as a number.", "--lr", "abc")]
    [InlineData("error: Cannot parse argument 'x' for option '--steps' as a whole number.", "--steps", "x")]
    [InlineData("error: Cannot parse argument 'magic' for option '--loss'. Expected dpo, kto, orpo, supervised.", "--loss", "magic")]
    [InlineData("--eval-share", "--eval-shar", "0.1")]
    public async Task Train_WrongCommandLine_SaysWhatIsWrongWithoutAScreenOfHelp(string message, params string[] arguments)
    {
        CommandRun run = await RunAsync(["--data", Rows(4), .. arguments]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.EndsWith("loraserve train --help shows what there is.\n", run.Error, StringComparison.Ordinal);
        Assert.InRange(run.Error.Split('\n').Length, 1, 12);
    }

    [Theory]
    [InlineData("expected lora", "--method", "magic")]
    [InlineData("--lr is -1; expected more than 0", "--lr", "-1")]
    [InlineData("--rank is 0", "--rank", "0")]
    [InlineData("--rank is much; expected a number, auto, width,", "--rank", "much")]
    [InlineData("--rank grow needs rows to evaluate on", "--rank", "grow:2")]
    [InlineData("--max-rank bounds a rank that grows", "--max-rank", "9")]
    [InlineData("both --steps and --epochs", "--steps", "2", "--epochs", "1")]
    [InlineData("no such file", "--eval", "missing.jsonl")]
    [InlineData("a folder; expected a file of JSON Lines", "--eval", ".")]
    [InlineData("targets has x_proj", "--targets", "x_proj")]
    public async Task Train_Mistakes_AreOneLine(string message, params string[] arguments)
    {
        CommandRun run = await RunAsync(["--data", Rows(4), .. arguments]);
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Trim().Split('\n'));
    }

    [Fact]
    public async Task Train_GrowingRank_IsShownWithEvaluations()
    {
        File.WriteAllText(At("settings.json"), """{ "growth": { "window": 2, "plateau": 1e9, "maximum_rank": 3 } }""");
        CommandRun run = await RunAsync("--config", At("settings.json"), "--data", Rows(12), "--rank", "grow:2", "--steps", "40", "--batch-rows", "2", "--eval-share", "0.25", "--eval-interval", "3");

        Assert.True(run.ExitCode == 0, run.Error);
        string[] lines = run.Error.Split('\n');
        Assert.Contains("rank 2 ", lines.Single(line => line.StartsWith("step 3/", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Matches("rank 3, grown from 2 .*eval loss .*exact match [^ ]+ %$", lines.Single(line => line.StartsWith("step 6/", StringComparison.Ordinal)));
        Assert.Matches("rank 3 .*eval loss .* at step 6$", lines.Single(line => line.StartsWith("step 8/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Train_IntoAFinishedRun_IsDoneRefusedOrReplaced()
    {
        string[] arguments = ["--data", Rows(4), "--steps", "1"];
        Assert.Equal(0, (await RunAsync([.. arguments, "--rank", "8"])).ExitCode);

        CommandRun again = await RunAsync([.. arguments, "--rank", "8"]);
        CommandRun other = await RunAsync([.. arguments, "--rank", "4"]);

        Assert.Equal(0, again.ExitCode);
        Assert.Contains("done already, with the same settings; nothing was trained.", again.Error, StringComparison.Ordinal);
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("a finished run of other settings: rank was 8 and is 4. Name another folder, or replace the run with --overwrite.", other.Error, StringComparison.Ordinal);
        Assert.Contains("\"r\": 8", await File.ReadAllTextAsync(At("out/adapter_config.json")), StringComparison.Ordinal);

        Assert.NotEqual(0, (await RunAsync([.. arguments, "--rank", "4", "--overwrite", "--eval", "missing.jsonl"])).ExitCode);
        Assert.Contains("\"r\": 8", await File.ReadAllTextAsync(At("out/adapter_config.json")), StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync([.. arguments, "--rank", "4", "--overwrite"])).ExitCode);
        Assert.Contains("\"r\": 4", await File.ReadAllTextAsync(At("out/adapter_config.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_BrokenRow_NamesFileAndLine()
    {
        string path = At("broken.jsonl");
        File.WriteAllText(path, "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": \"a\"\n");
        CommandRun run = await RunAsync("--data", path);
        Assert.Contains("broken.jsonl, line 2", run.Error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<CommandRun> RunAsync(params string[] arguments) => CommandRun.OfAsync(["train", "--model", files.Model, "--threads", "1", "--out", At("out"), .. arguments]);

    private string At(string path) => Path.Combine(_folder, path);

    private string Rows(int count)
    {
        string path = At("data.jsonl");
        File.WriteAllLines(path, Enumerable.Range(0, count).Select(i => $"{{\"prompt\": \"row {i}\", \"completion\": \" {i % 2}\"}}"));
        return path;
    }
}
