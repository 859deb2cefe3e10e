namespace LoraServe.Cli.Tests;

public sealed class LoraServeCommandTests
{
    public static TheoryData<string> Verbs { get; } = [.. LoraServeCommand.Create().Subcommands.Select(verb => verb.Name)];

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Help_OfEveryVerb_IsPrinted(string verb)
    {
        CommandRun run = await CommandRun.SuccessAsync(verb, "--help");

        Assert.Contains("Usage:", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("tokenize", "--text", "x")]
    [InlineData("generate", "--model", "x", "--prompt", "y", "--max-tokens", "many")]
    public async Task Run_WithAWrongCommandLine_EndsWithTwo(params string[] arguments)
    {
        CommandRun run = await CommandRun.OfAsync(arguments);

        Assert.Equal(2, run.ExitCode);
        Assert.NotEmpty(run.Error);
    }

    [Theory]
    [InlineData("generate", "--prompt", "x")]
    [InlineData("tokenize", "--text", "x")]
    [InlineData("eval", "--data", "x.jsonl")]
    [InlineData("bench", "decode")]
    [InlineData("demo")]
    public async Task Run_WithAModelThatIsNotThere_NamesIt(params string[] arguments)
    {
        string refusal = await CommandRun.RefusalAsync([.. arguments, "--model", "no-such-model.gguf"]);

        Assert.Contains("no-such-model.gguf", refusal, StringComparison.Ordinal);
    }
}
