namespace LoraServe.Cli.Tests.Verbs;

public sealed class ConvertModelVerbTests : IDisposable
{
    private readonly TinyFiles _files = new();

    [Fact]
    public async Task Convert_WithData_WritesTheModelAndTheLossBeforeAndAfter()
    {
        string rows = _files.Write("rows.jsonl", """{"text": "hello there, general"}""" + "\n");
        string to = _files.PathOf("made.gguf");
        CommandRun run = await CommandRun.SuccessAsync("convert", "--model", _files.Model, "--type", "q8_0", "--out", to, "--data", rows);
        Assert.Contains("made.gguf", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"loss \d+\.\d{4} before, \d+\.\d{4} after \([+-]0\.0", run.Output);
        Assert.Contains("--overwrite", await CommandRun.MisuseAsync("convert", "--model", _files.Model, "--type", "F16", "--out", to), StringComparison.Ordinal);
        await CommandRun.SuccessAsync("convert", "--model", to, "--type", "bf16", "--out", _files.PathOf("back"));
        Assert.True(File.Exists(_files.PathOf("back/config.json")));
    }

    [Fact]
    public async Task Convert_ToNf4_WritesAModelThatLoads()
    {
        string rows = _files.Write("rows.jsonl", """{"text": "hello there, general"}""" + "\n");
        CommandRun run = await CommandRun.SuccessAsync("convert", "--model", _files.Model, "--type", "nf4", "--out", _files.PathOf("made"), "--data", rows);
        Assert.Matches(@"made: .*\d+ tensors NF4", run.Output);
        Assert.Matches(@"loss \d+\.\d{4} before, \d+\.\d{4} after", run.Output);
        Assert.Contains("NF4", await CommandRun.MisuseAsync("convert", "--model", _files.Model, "--type", "NF4", "--out", _files.PathOf("made.gguf")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Convert_TypeThatIsNotWrittenThere_SaysWhichAre()
    {
        Assert.Contains("F32, F16, BF16, NF4", await CommandRun.MisuseAsync("convert", "--model", _files.Model, "--type", "Q4_K", "--out", _files.PathOf("made")), StringComparison.Ordinal);
        Assert.Contains("Q4_K", await CommandRun.MisuseAsync("convert", "--model", _files.Model, "--type", "Q9", "--out", _files.PathOf("made.gguf")), StringComparison.Ordinal);
        Assert.Contains("no such file", await CommandRun.RefusalAsync("convert", "--model", _files.Model, "--type", "Q8_0", "--out", _files.PathOf("made.gguf"), "--importance", _files.PathOf("none")), StringComparison.Ordinal);
    }

    public void Dispose() => _files.Dispose();
}
