using LoraServe.Models;
using LoraServe.Studio.Evaluation;
using LoraServe.Studio.Studies;
using LoraServe.Training.Reports;

namespace LoraServe.Studio.Tests.Studies;

public sealed class StudyRunnerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    [Fact]
    public async Task RunAsync_OfRunsThatFail_SaysWhyAndKeepsTheBaseline()
    {
        var worker = new Weakling();
        StudyTask task = Rows();
        StudyOptions options = Options(steps: 3);
        StudyRun[] runs = [new(options, task, StudyMethod.Of("lora")), new(options, task, StudyMethod.Of("full"))];
        for (int i = 1; i <= 2; i++)
        {
            StudySummary study = await new StudyRunner(options, "tiny", runs, worker, TextWriter.Null).RunAsync(CancellationToken.None);

            Assert.Equal([("toy", "lora 8", "too weak"), ("toy", "full", "too weak")], study.Failures.Select(failure => (failure.Task, failure.Method, failure.Reason)));
            Assert.Equal(2.5, Assert.Single(study.Baselines).Loss);
            Assert.Equal((1, 2 * i), (worker.Evaluated, worker.Trained));
            Assert.True(File.Exists(Path.Combine(_folder, StudySummary.JsonFile)) && File.Exists(Path.Combine(_folder, StudySummary.PageFile)));
        }
    }

    [Fact]
    public void ReadResult_OfADamagedFile_NamesItAndSaysWhatToDo()
    {
        var run = new StudyRun(Options(steps: null), Rows(), StudyMethod.Of("lora"));
        Assert.Null(run.ReadResult());
        Directory.CreateDirectory(run.Folder);
        File.WriteAllText(Path.Combine(run.Folder, "result.json"), "{");

        StudioException damage = Assert.Throws<StudioException>(run.ReadResult);

        Assert.Contains("result.json is damaged", damage.Message, StringComparison.Ordinal);
        Assert.False(damage.IsMisuse);
    }

    [Fact]
    public void Choices_SayWhatTheMethodCallsItsSize()
    {
        StudyTask task = Rows();
        Assert.Contains("--rank 4 --batch-rows 2", Text(StudyMethod.Of("lora") with { Size = 4 }), StringComparison.Ordinal);
        Assert.Contains("--virtual-tokens 4 --batch-rows 2", Text(StudyMethod.Of("prompt") with { Size = 4 }), StringComparison.Ordinal);
        Assert.False(StudyMethod.Of("full").HasSize);

        string Text(StudyMethod method) => string.Join(' ', new StudyRun(Options(steps: null), task, method).Choices);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private StudyOptions Options(int? steps) => new("model.gguf", "f00d", 1, _folder, steps, 2, 0);

    private StudyTask Rows()
    {
        string training = Path.Combine(_folder, "toy.train.jsonl");
        string evaluation = Path.Combine(_folder, StudyTask.NameOf(training) + StudyTask.EvaluationEnding);
        File.WriteAllText(training, """{"prompt": "a", "completion": " b"}""");
        File.WriteAllText(evaluation, """{"prompt": "c", "completion": " d"}""");
        return StudyTask.Of(training, evaluation);
    }

    /// <summary>Evaluates and trains nothing.</summary>
    private sealed class Weakling : IStudyWorker
    {
        public int Evaluated { get; private set; }

        public int Trained { get; private set; }

        public Task<(EvaluationResult? Result, string? Failure)> EvaluateAsync(StudyTask task, CancellationToken cancellationToken)
        {
            Evaluated++;
            return Task.FromResult<(EvaluationResult?, string?)>((new EvaluationResult(null, 2.5, Math.Exp(2.5), 1, 0, 2, 0, 0, 1, 2), null));
        }

        public Task<(RunSummary? Result, string? Failure)> TrainAsync(StudyRun run, Action<string> progress, CancellationToken cancellationToken)
        {
            Trained++;
            return Task.FromResult<(RunSummary?, string?)>((null, "too weak"));
        }

        public LoadedModel Load() => throw new InvalidOperationException("nothing was trained that could be served");
    }
}
