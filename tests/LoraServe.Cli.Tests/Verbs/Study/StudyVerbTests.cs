using System.Text.Json;
using System.Xml.Linq;

namespace LoraServe.Cli.Tests.Verbs.Study;

public sealed class StudyVerbTests(TinyFiles files) : IClassFixture<TinyFiles>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    [Fact]
    public async Task Study_ComparesMethods_AndDoesOnlyWhatIsMissing()
    {
        string task = Rows("toy.train.jsonl", 12);
        Rows("toy.eval.jsonl", 4);
        CommandRun first = await RunAsync("--data", task, "--methods", "full,lora:2,prompt:3", "--steps", "3", "--json");

        Assert.True(first.ExitCode == 0, first.Error);
        JsonElement[] results = [.. first.Json.GetProperty("results").EnumerateArray()];
        Assert.Equal(["full", "lora 2", "prompt 3"], results.Select(result => result.GetProperty("label").GetString()));
        Assert.All(results, result =>
        {
            JsonElement summary = result.GetProperty("summary");
            Assert.True(summary.GetProperty("peak_memory_bytes").GetInt64() > 1 << 20);
            Assert.InRange(summary.GetProperty("parameter_efficiency").GetDouble(), 1e-9, 1);
            Assert.True(result.GetProperty("evaluation_loss").GetDouble() > 0);
            Assert.True(result.GetProperty("tokens_per_s").GetDouble() > 0);
        });
        Assert.True(Assert.Single(first.Json.GetProperty("baselines").EnumerateArray()).GetProperty("loss").GetDouble() > 0);
        Assert.DoesNotContain(_folder, await File.ReadAllTextAsync(At("out/study.json")), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, results[0].GetProperty("latency").ValueKind);
        Assert.All(results[1..], result => Assert.True(result.GetProperty("latency").GetProperty("ratio").GetDouble() > 0));
        string page = await File.ReadAllTextAsync(At("out/study.html"));
        Assert.NotEmpty(XDocument.Parse(page[page.IndexOf("<html", StringComparison.Ordinal)..]).Descendants("figure"));

        File.Delete(At("out/toy/lora-2/result.json"));
        DateTime kept = File.GetLastWriteTimeUtc(At("out/toy/full/result.json"));
        CommandRun second = await RunAsync("--data", task, "--methods", "full,lora:2,prompt:3", "--steps", "3");

        Assert.Equal(0, second.ExitCode);
        Assert.Contains("toy, lora 2: training", second.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("toy, full", second.Error, StringComparison.Ordinal);
        Assert.Equal(kept, File.GetLastWriteTimeUtc(At("out/toy/full/result.json")));
        Assert.Contains("prompt 3", second.Output, StringComparison.Ordinal);
        Assert.Contains("on toy (the untouched base: exact match", second.Output, StringComparison.Ordinal);
        Assert.All(second.Output.Split('\n'), line => Assert.InRange(line.Length, 0, 100));

        CommandRun other = await RunAsync("--data", task, "--methods", "lora:2", "--steps", "4");
        Assert.Contains("other settings", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Study_OfARunThatFails_GoesOnAndSaysWhy()
    {
        string task = $"{Rows("a.jsonl", 6)}:{Rows("b.jsonl", 2)}";
        CommandRun run = await RunAsync("--data", task, "--methods", "lora:4097,ia3", "--steps", "1");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("not done: a, lora 4097: --rank is 4097", run.Output, StringComparison.Ordinal);
        Assert.Contains("ia3", run.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(At("out/a/ia3/result.json")));
    }

    [Theory]
    [InlineData(1, "no such file", "--data", "missing.jsonl")]
    [InlineData(2, "expected lora", "--methods", "magic")]
    [InlineData(2, "NAME:SIZE", "--methods", "lora:many")]
    [InlineData(2, "--steps is 0", "--steps", "0")]
    [InlineData(2, "--batch-rows is -1", "--batch-rows", "-1")]
    [InlineData(1, "lonely.eval.jsonl", "--data", "lonely.train.jsonl")]
    [InlineData(1, "broken.train.jsonl, line 2", "--data", "broken.train.jsonl")]
    public async Task Study_Mistakes_AreOneLine(int code, string message, params string[] arguments)
    {
        Rows("toy.eval.jsonl", 2);
        Rows("lonely.train.jsonl", 2);
        Rows("broken.eval.jsonl", 2);
        await File.WriteAllTextAsync(At("broken.train.jsonl"), "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": \"a\"\n");
        string data = arguments[0] == "--data" ? At(arguments[1]) : Rows("toy.train.jsonl", 4);
        CommandRun run = await RunAsync(["--data", data, .. arguments[0] == "--data" ? [] : arguments]);

        Assert.Equal(code, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Trim().Split('\n'));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<CommandRun> RunAsync(params string[] arguments) => CommandRun.OfAsync(["study", "--model", files.Model, "--threads", "1", "--out", At("out"), .. arguments]);

    private string At(string path) => Path.Combine(_folder, path);

    private string Rows(string name, int count)
    {
        string path = At(name);
        File.WriteAllLines(path, Enumerable.Range(0, count).Select(i => $"{{\"prompt\": \"row {i}\", \"completion\": \" {i % 2}\"}}"));
        return path;
    }
}
