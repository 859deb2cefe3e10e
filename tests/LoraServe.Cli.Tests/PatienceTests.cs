namespace LoraServe.Cli.Tests;

/// <summary>A verb that has something to finish is not ended amid it by the signal that asks it to stop.</summary>
public sealed class PatienceTests
{
    [Fact]
    public void PatienceOf_Verbs_IsAsLongAsWhatTheyFinish()
    {
        Assert.Null(Of("serve", "--model", "m"));
        Assert.Equal(Timeout.InfiniteTimeSpan, Of("train", "--model", "m", "--data", "d", "--out", "o"));
        Assert.Equal(Timeout.InfiniteTimeSpan, Of("study", "--model", "m", "--train", "d"));
        Assert.Equal(TimeSpan.FromSeconds(2), Of("bench", "train", "--model", "m"));
        Assert.Equal(TimeSpan.FromSeconds(2), Of("generate", "--model", "m", "--prompt", "p"));
    }

    private static TimeSpan? Of(params string[] arguments) => LoraServeCommand.PatienceOf(LoraServeCommand.Create().Parse(arguments));
}
