using LoraServe.Adapters.Methods;

namespace LoraServe.Cli.Tests.Verbs.Train;

public sealed class MethodNotesTests
{
    [Fact]
    public async Task HelpOfTrain_ListsEveryMethodOnce_BelowItsOptions()
    {
        string help = (await CommandRun.SuccessAsync("train", "--help")).Output;
        string notes = help[help.IndexOf("Methods, several of them", StringComparison.Ordinal)..];

        Assert.All(MethodTable.Variants, method => Assert.Single(notes.Split('\n'), line => line.StartsWith($"    {method.Name} ", StringComparison.Ordinal)));
        Assert.DoesNotContain("--", notes, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_ListsEachVerbOnOneLine_AndTheExitCodes()
    {
        string[] help = (await CommandRun.SuccessAsync("--help")).Output.Split('\n');

        Assert.Contains(help, line => line.Contains("Exit codes: 0 done; 1 it failed", StringComparison.Ordinal));
        Assert.Equal(LoraServeCommand.Create().Subcommands.Count, help.SkipWhile(line => line != "Commands:").Skip(1).Count(line => line.Trim().Length > 0));
    }
}
