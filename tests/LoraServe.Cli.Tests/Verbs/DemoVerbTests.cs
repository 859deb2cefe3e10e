namespace LoraServe.Cli.Tests.Verbs;

public sealed class DemoVerbTests(TinyFiles files) : IClassFixture<TinyFiles>
{
    [Fact]
    public async Task Demo_OnATinyModel_PublishesAndComparesAdapters()
    {
        string root = files.PathOf("adapters");
        files.Adapter(Path.Combine("adapters", "snips-lora"), 1);
        files.Adapter(Path.Combine("adapters", "other"), 2);

        CommandRun run = await CommandRun.SuccessAsync("demo", "--model", files.Model, "--adapter-root", root);

        Assert.Contains("snips-lora@1", run.Output, StringComparison.Ordinal);
        Assert.Contains("2 adapters mixed", run.Output, StringComparison.Ordinal);
        Assert.All(run.Output.Split('\n'), line => Assert.True(line.Length <= 200, line));
    }

    [Fact]
    public async Task Demo_WithoutAdapters_MakesRandomOnes() =>
        Assert.Contains("random-3@1", (await CommandRun.SuccessAsync("demo", "--model", files.Model)).Output, StringComparison.Ordinal);
}
