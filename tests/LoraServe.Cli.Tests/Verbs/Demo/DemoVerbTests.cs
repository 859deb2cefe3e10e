using LoraServe.Cli.Verbs.Demo;
using LoraServe.Training.Data;

namespace LoraServe.Cli.Tests.Verbs.Demo;

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

    [Fact]
    public async Task Demo_WithoutAModel_TrainsPublishesAndComparesThreeMethods()
    {
        CommandRun run = await CommandRun.SuccessAsync("demo", "--steps", "2");

        string[] lines = run.Output.Split('\n');
        Assert.All(DemoTask.All(steps: 2), task => Assert.Contains(lines, line => line.Contains(task.Options.Method, StringComparison.Ordinal) && line.Contains(" % ", StringComparison.Ordinal)));
        Assert.All(DemoTask.All(steps: 2), task => Assert.Contains($"{task.Name}: ", run.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Demo_WithOptionsThatDoNotGoTogether_Refuses()
    {
        Assert.Contains("--adapter-root needs --model", await CommandRun.MisuseAsync("demo", "--adapter-root", files.Model), StringComparison.Ordinal);
        Assert.Contains("--steps has nothing to train", await CommandRun.MisuseAsync("demo", "--model", files.Model, "--steps", "1"), StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_AreFullForTheRightAnswers()
    {
        IReadOnlyList<DemoTask> tasks = DemoTask.All(steps: null);

        Assert.Equal(1, Score("intent", "Command: play some jazz\nIntent:", " PlayMusic", "PlayMusic"));
        Assert.Equal(0, Score("intent", "Command: play some jazz\nIntent:", " PlayMusic", "GetWeather"));
        Assert.Equal(1, Score("describe", "name: The Eagle; customer rating: 5 out of 5; familyFriendly: no\nDescription:", " The", "The eagle is rated 5 out of 5."));
        Assert.Equal(0.5, Score("describe", "name: The Eagle; food: Japanese\nDescription:", " The", "The Eagle is a pub."));
        Assert.Equal(1, Score("pirate", "Facts: The Eagle\nText:", " Arr", "Arr, The Eagle be near, matey!"));
        Assert.Equal(0, Score("pirate", "Facts: The Eagle\nText:", " Arr", "The Eagle is near."));

        double Score(string task, string prompt, string expected, string answer) =>
            tasks.Single(one => one.Name == task).Score(new DataRow("file", 1, DataRowKind.Completion) { Prompt = prompt, Answer = expected }, answer);
    }

    [Fact]
    public void Rows_ForTrainingAndForQuestions_AreDistinct() =>
        Assert.All(DemoTask.All(steps: null), task => Assert.Empty(File.ReadLines(task.Options.DataFile).Intersect(File.ReadLines(task.EvaluationFile))));
}
