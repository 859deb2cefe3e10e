using LoraServe.Compute;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Testing;
using LoraServe.Training.Checkpoints;
using LoraServe.Training.Data;
using LoraServe.Training.Losses;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Options;
using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Sweep;
using LoraServe.Training.Reports;
using LoraServe.Training.Steps;
using LoraServe.Training.Tests.Data;

namespace LoraServe.Training.Tests;

/// <summary>Whole runs of a tiny model on a few rows.</summary>
public sealed class TrainerTests : IDisposable
{
    private const int Steps = 9;
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;
    private readonly LoadedModel _model;

    public TrainerTests()
    {
        string fixture = Repository.Fixture("models/llama-tied");
        string model = At("model");
        Directory.CreateDirectory(model);
        foreach (string name in new[] { "config.json", "generation_config.json", "model.safetensors" })
        {
            File.Copy(Path.Combine(fixture, name), Path.Combine(model, name));
        }

        File.WriteAllBytes(Path.Combine(model, "tokenizer.json"), ByteTokenizer.Json());
        _model = ModelLoader.Load(CpuDevice.Instance, model, new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
    }

    private TrainingJobOptions Options => new()
    {
        DataFile = Rows("data.jsonl", 24),
        Method = "lora",
        Rank = 4,
        Steps = Steps,
        BatchRows = 4,
        LearningRate = 5e-3,
        CheckpointInterval = 2,
        EvaluationShare = 0.25,
        EvaluationInterval = 4,
    };

    [Fact]
    public async Task RunAsync_Lora_LowersTheLossAndLeavesEverything()
    {
        var steps = new List<TrainingProgress>();
        using var trainer = new Trainer(_model, new TrainerOptions { WorkerCount = 2 });
        TrainingOutcome outcome = await trainer.RunAsync(Options with { Steps = 40 }, At("out"), steps.Add, default);

        Assert.Equal(Enumerable.Range(1, 40), steps.Select(step => step.Step));
        Assert.True(steps[^1].Loss < steps[0].Loss / 2, $"{steps[0].Loss} to {steps[^1].Loss}");
        Assert.NotNull(steps[^1].EvaluationLoss);
        Assert.Equal(steps.Select(step => step.Loss), MetricsLog.Read(At("out/metrics.jsonl")).Select(step => step.Loss));
        Assert.Equal(["adapter_config.json", "adapter_model.safetensors", "metrics.jsonl", "report.html", "run.json"], Directory.GetFileSystemEntries(At("out")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(outcome.Summary.TrainableParameters * sizeof(float), outcome.Summary.AdapterBytes, 4096d);
        Assert.All(outcome.Summary.Ranks, rank => Assert.Equal(4, rank.Rank));
        Assert.All(steps, step => Assert.Null(step.Rank));
    }

    [Fact]
    public async Task RunAsync_SeveralRunsTogether_LeaveTheBytesOfRunsAlone()
    {
        TrainingJobOptions[] jobs =
        [
            Options,
            Options with { Method = "ia3", LearningRate = 0.05, BatchRows = 3, DataFile = Rows("other.jsonl", 10), EvaluationShare = 0 },
            Options with { Method = "prompt", VirtualTokens = 3, Seed = 4, AccumulationSteps = 2 },
            Options with { Method = "dora", Rank = 2, Steps = 5, CheckpointActivations = true },
        ];
        using (var trainer = new Trainer(_model, new TrainerOptions { WorkerCount = 2, TokensAtOnce = 150 }))
        {
            await Task.WhenAll(jobs.Select((job, i) => trainer.RunAsync(job, At($"together-{i}"), _ => { }, default)));
        }

        for (int i = 0; i < jobs.Length; i++)
        {
            using var trainer = new Trainer(_model, new TrainerOptions { WorkerCount = 1, TokensAtOnce = 150 });
            await trainer.RunAsync(jobs[i], At($"alone-{i}"), _ => { }, default);
            Assert.Equal(Weights($"alone-{i}"), Weights($"together-{i}"));
        }
    }

    [Theory]
    [InlineData("lora")]
    [InlineData("adalora")]
    [InlineData("gated")]
    public async Task RunAsync_StoppedAnywhereAndResumed_LeavesTheBytesOfAnUninterruptedRun(string method)
    {
        TrainingJobOptions options = Options with { Method = method, Patience = 3 };
        await RunAsync(options, "whole");
        for (int stop = 1; stop < Steps; stop += 3)
        {
            using var cancellation = new CancellationTokenSource();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunAsync(options, $"stopped-{stop}", progress => Stop(progress, stop, cancellation), cancellation.Token));
            Assert.Equal(stop, new CheckpointStore(At($"stopped-{stop}/checkpoints")).Load(damaged => Assert.Fail(damaged))!.Step);
            await RunAsync(options, $"stopped-{stop}");
            Assert.Equal(Weights("whole"), Weights($"stopped-{stop}"));
            Assert.Equal(Losses("whole"), Losses($"stopped-{stop}"));
        }

        static void Stop(TrainingProgress progress, int step, CancellationTokenSource cancellation)
        {
            if (progress.Step == step)
            {
                cancellation.Cancel();
            }
        }
    }

    [Fact]
    public async Task RunAsync_FolderOfAnotherRun_IsRefused()
    {
        using var cancellation = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunAsync(Options, "run", progress => Cancel(progress), cancellation.Token));
        TrainingOptionsException refused = await Assert.ThrowsAsync<TrainingOptionsException>(() => RunAsync(Options with { Seed = 9 }, "run"));
        Assert.Contains("an unfinished run of other settings: seed was 0 and is 9.", refused.Message, StringComparison.Ordinal);

        void Cancel(TrainingProgress progress)
        {
            if (progress.Step == 3)
            {
                cancellation.Cancel();
            }
        }
    }

    [Fact]
    public async Task RunAsync_DoneAlready_TrainsNothingAndSaysWhatItDid()
    {
        using var trainer = new Trainer(_model, new TrainerOptions { WorkerCount = 2 });
        TrainingOutcome first = await trainer.RunAsync(Options, At("done"), _ => { }, default);
        byte[] weights = Weights("done");
        File.Move(Options.DataFile, At("elsewhere.jsonl"));

        TrainingOutcome again = await trainer.RunAsync(Options with { DataFile = At("elsewhere.jsonl") }, At("done"), _ => Assert.Fail("It trains."), default);

        Assert.Equal((false, true), (first.WasDone, again.WasDone));
        Assert.Equivalent(first.Summary, again.Summary, strict: true);
        Assert.Equal(weights, Weights("done"));
    }

    [Fact]
    public async Task RunAsync_FinishedRunOfOtherSettings_StaysAndIsNamed()
    {
        await RunAsync(Options, "done");
        byte[] weights = Weights("done");

        TrainingOptionsException refused = await Assert.ThrowsAsync<TrainingOptionsException>(
            () => RunAsync(Options with { Rank = 2, Optimizer = new OptimizerOptions { Kind = OptimizerKind.Sgd } }, "done"));
        TrainingOptionsException others = await Assert.ThrowsAsync<TrainingOptionsException>(() => RunAsync(Options with { DataFile = Rows("other.jsonl", 10) }, "done"));

        Assert.Contains("a finished run of other settings: rank was 4 and is 2, optimizer.kind was \"adam_w\" and is \"sgd\".", refused.Message, StringComparison.Ordinal);
        Assert.Contains("other settings: data_file is another.", others.Message, StringComparison.Ordinal);
        Assert.Equal(weights, Weights("done"));
    }

    [Fact]
    public async Task RunAsync_AdapterOfUnknownOrigin_Stays()
    {
        await RunAsync(Options, "found");
        File.Delete(At("found/run.json"));

        TrainingOptionsException refused = await Assert.ThrowsAsync<TrainingOptionsException>(() => RunAsync(Options, "found"));

        Assert.Contains("nothing there says how it was made", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_KilledBeforeItWasNotedAsDone_EndsWithTheSameBytes()
    {
        await RunAsync(Options, "killed");
        byte[] weights = Weights("killed");
        File.Delete(At("killed/run.json"));
        Directory.CreateDirectory(At("killed/saved"));

        await RunAsync(Options, "killed");

        Assert.Equal(weights, Weights("killed"));
        Assert.False(Directory.Exists(At("killed/saved")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Discard_AnyRun_LetsAnotherReplaceIt(bool isKnown)
    {
        await RunAsync(Options with { Method = "houlsby", Rank = null, EvaluationShare = 0 }, "old");
        File.WriteAllText(At("old/notes.txt"), "mine");
        if (!isKnown)
        {
            File.Delete(At("old/run.json"));
        }

        Trainer.Discard(At("old"));
        Assert.True(File.Exists(At("old/adapter.safetensors")));
        await RunAsync(Options, "old");

        // What the run before left goes, as far as it noted it; what somebody else put there stays.
        Assert.Equal(!isKnown, File.Exists(At("old/adapter.safetensors")));
        Assert.True(File.Exists(At("old/adapter_model.safetensors")));
        Assert.True(File.Exists(At("old/notes.txt")));
    }

    [Theory]
    [InlineData("{\"prompt\": \"a\"", "not JSON")]
    [InlineData("{\"prompt\": \"a\", \"text\": \"b\"}", "text beside prompt")]
    [InlineData("{\"prompt\": \"one that is far too long\", \"completion\": \"b\"}", "nothing to learn is left")]
    [InlineData("{\"prompt\": \"one\", \"chosen\": \"b\", \"rejected\": \"c\"}", null)]
    public void CheckRows_ABadRow_IsNamedAsTheRunWould(string row, string? problem)
    {
        string file = At("checked.jsonl");
        File.WriteAllText(file, $"{{\"prompt\": \"a\", \"completion\": \"b\"}}\n{row}\n");
        TrainingJobOptions options = Options with { DataFile = file, EvaluationShare = 0, MaximumLength = 12 };
        using var trainer = new Trainer(_model);

        Exception? refused = Record.Exception(() => trainer.CheckRows(options, TimeSpan.FromMinutes(1), default));

        Assert.Equal(problem is null, refused is null);
        Assert.Contains(problem ?? "", refused?.Message ?? "", StringComparison.Ordinal);
        Assert.Contains(problem is null ? "" : "checked.jsonl, line 2: ", refused?.Message ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void CheckRows_EvaluationRows_AreReadToo()
    {
        string evaluation = At("evaluated.jsonl");
        File.WriteAllText(evaluation, "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": 1}\n");
        using var trainer = new Trainer(_model);

        TrainingDataException refused = Assert.Throws<TrainingDataException>(
            () => trainer.CheckRows(Options with { EvaluationShare = 0, EvaluationFile = evaluation }, TimeSpan.FromMinutes(1), default));

        Assert.Contains("evaluated.jsonl, line 2", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CheckRows_NoTimeLeft_SaysHowManyRowsItLookedAt()
    {
        using var trainer = new Trainer(_model, time: new TickingClock());

        Assert.Equal(new RowCheck(24, 24), trainer.CheckRows(Options, TimeSpan.FromMinutes(1), default));
        Assert.Equal(new RowCheck(4, 24), trainer.CheckRows(Options, TimeSpan.FromSeconds(5), default));
    }

    [Fact]
    public void CheckRows_OneRowToDivide_IsRefused()
    {
        using var trainer = new Trainer(_model);

        Assert.Contains("has one row", Assert.Throws<TrainingDataException>(() => trainer.CheckRows(Options with { DataFile = Rows("one.jsonl", 1) }, TimeSpan.FromMinutes(1), default)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_AWildRate_StopsWithTheLastCheckpointIntact()
    {
        DivergenceException diverged = await Assert.ThrowsAsync<DivergenceException>(
            () => RunAsync(Options with { LearningRate = 1e30, Schedule = LearningRateSchedule.Constant, MaximumGradientNorm = 0, EvaluationShare = 0, CheckpointInterval = 1, WarmupSteps = 4 }, "wild"));
        Assert.Contains("Lower the learning rate", diverged.Message, StringComparison.Ordinal);
        Checkpoint checkpoint = new CheckpointStore(At("wild/checkpoints")).Load(damaged => Assert.Fail(damaged))!;
        Assert.InRange(checkpoint.Step, 1, Steps);
    }

    [Fact]
    public async Task RunAsync_ABrokenRow_FailsThatRunAloneAndNamesTheLine()
    {
        string broken = At("broken.jsonl");
        File.WriteAllText(broken, "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": 1, \"completion\": \"b\"}\n");
        using var trainer = new Trainer(_model, new TrainerOptions { WorkerCount = 2 });
        Task<TrainingOutcome> good = trainer.RunAsync(Options, At("good"), _ => { }, default);
        TrainingDataException refused = await Assert.ThrowsAsync<TrainingDataException>(
            () => trainer.RunAsync(Options with { DataFile = broken, EvaluationShare = 0 }, At("bad"), _ => { }, default));
        Assert.Contains("broken.jsonl, line 2", refused.Message, StringComparison.Ordinal);
        await good;
    }

    [Theory]
    [InlineData(LossKind.Dpo)]
    [InlineData(LossKind.Orpo)]
    public async Task RunAsync_Preferences_LowersTheLoss(LossKind loss)
    {
        string pairs = At("pairs.jsonl");
        File.WriteAllLines(pairs, Enumerable.Range(0, 12).Select(i => $"{{\"prompt\": \"say {i}\", \"chosen\": \" yes {i}\", \"rejected\": \" no\"}}"));
        var steps = new List<TrainingProgress>();
        await RunAsync(Options with { DataFile = pairs, Loss = loss, Steps = 30, EvaluationShare = 0 }, "preferences", steps.Add);
        Assert.True(steps[^1].Loss < steps[0].Loss * 0.8, $"{steps[0].Loss} to {steps[^1].Loss}");
    }

    [Fact]
    public async Task RunAsync_NoRankGiven_ChoosesOne()
    {
        using var trainer = new Trainer(_model, new TrainerOptions { WorkerCount = 1 });
        TrainingOutcome outcome = await trainer.RunAsync(Options with { ChoosesRank = true, Rank = null, Steps = 1 }, At("auto"), _ => { }, default);
        Assert.All(outcome.Summary.Ranks, rank => Assert.InRange(rank.Rank, 1, 8));
    }

    [Theory]
    [InlineData("layers", true)]
    [InlineData("energy", true)]
    [InlineData("width", false)]
    public async Task RunAsync_PolicyByName_GivesItsRanks(string policy, bool differ)
    {
        using var trainer = new Trainer(_model, new TrainerOptions { WorkerCount = 1 });
        TrainingOutcome outcome = await trainer.RunAsync(Options with { ChoosesRank = true, RankPolicy = policy, Rank = null, Steps = 1 }, At("policy"), _ => { }, default);
        Assert.Equal(differ, outcome.Summary.Ranks.Select(rank => rank.Rank).Distinct().Count() > 1);
    }

    [Fact]
    public async Task RunAsync_GrowingRankStoppedAnywhereAndResumed_LeavesTheBytesOfAnUninterruptedRun()
    {
        TrainingJobOptions options = Options with { Rank = 2, Growth = new RankGrowth { Window = 2, Plateau = 1e9, MaximumRank = 4 }, EvaluationInterval = 1, Patience = 9 };
        await RunAsync(options, "whole");
        Assert.Contains("\"r\": 4", File.ReadAllText(At("whole/adapter_config.json")), StringComparison.Ordinal);
        Assert.Equal([2, 3, 3, 4], MetricsLog.Read(At("whole/metrics.jsonl")).Take(4).Select(step => step.Rank));
        Assert.Contains("\"lora_alpha\": 8", File.ReadAllText(At("whole/adapter_config.json")), StringComparison.Ordinal);
        foreach (int stop in new[] { 3, 5, 7 })
        {
            using var cancellation = new CancellationTokenSource();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunAsync(options, $"stopped-{stop}", progress => Cancel(progress, stop, cancellation), cancellation.Token));
            await RunAsync(options, $"stopped-{stop}");
            Assert.Equal(Weights("whole"), Weights($"stopped-{stop}"));
        }

        static void Cancel(TrainingProgress progress, int step, CancellationTokenSource cancellation)
        {
            if (progress.Step == step)
            {
                cancellation.Cancel();
            }
        }
    }

    [Theory]
    [InlineData("ia3")]
    [InlineData("pissa")]
    [InlineData("lora,prompt")]
    public void Check_GrowthOfAMethodThatCannotGrow_IsRefusedBeforeItRuns(string method)
    {
        using var trainer = new Trainer(_model);
        trainer.Check(Options with { Growth = new RankGrowth() });
        Assert.Contains("can grow", Assert.Throws<TrainingOptionsException>(() => trainer.Check(Options with { Method = method, Growth = new RankGrowth() })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_GrowthOfAMethodWithoutRanks_IsRefused()
    {
        TrainingOptionsException refused = await Assert.ThrowsAsync<TrainingOptionsException>(() => RunAsync(Options with { Method = "ia3", Growth = new RankGrowth() }, "ia3"));
        Assert.Contains("can grow", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sweep_OneRateThatLearns_IsChosen()
    {
        using var trainer = new Trainer(_model, new TrainerOptions { WorkerCount = 2 });
        var sweep = new RankSweep([2, 4], [1e-7, 2e-2], folds: 2);
        SweepResult result = await SweepTraining.RunAsync(trainer, sweep, Options with { Rank = null, Steps = 20 }, Directory.CreateDirectory(At("sweep")).FullName);
        Assert.Equal(4, result.Scores.Length);
        Assert.Equal(2e-2, result.Chosen.Candidate.LearningRate);
        Assert.All(result.Scores, score => Assert.Equal(2, score.Losses.Count));
        Assert.True(result.Best.Mean < 0.8 * result.Scores[0].Mean, $"{result.Scores[0].Mean} and {result.Best.Mean}");
    }

    [Fact]
    public async Task RunAsync_FromAnAdapter_GoesOnWhereItEnded()
    {
        var first = new List<TrainingProgress>();
        var second = new List<TrainingProgress>();
        await RunAsync(Options with { Steps = 30 }, "first", first.Add);
        await RunAsync(Options with { Steps = 3, InitFrom = At("first") }, "second", second.Add);
        Assert.True(second[0].Loss < first[0].Loss / 2, $"{first[0].Loss}, then {second[0].Loss}");
    }

    /// <summary>A second passes whenever it is looked at.</summary>
    private sealed class TickingClock : TimeProvider
    {
        private int _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Interlocked.Increment(ref _seconds);
    }

    public void Dispose()
    {
        _model.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task RunAsync(TrainingJobOptions options, string folder, Action<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using var trainer = new Trainer(_model, new TrainerOptions { WorkerCount = 2 });
        await trainer.RunAsync(options, At(folder), progress ?? (_ => { }), cancellationToken);
    }

    private byte[] Weights(string folder) => File.ReadAllBytes(At($"{folder}/adapter_model.safetensors"));

    private double[] Losses(string folder) => [.. MetricsLog.Read(At($"{folder}/metrics.jsonl")).Select(step => step.Loss)];

    private string At(string path) => Path.Combine(_folder, path);

    private string Rows(string name, int count)
    {
        string path = At(name);
        if (File.Exists(path))
        {
            return path;
        }

        File.WriteAllLines(path, Enumerable.Range(0, count).Select(i => $"{{\"prompt\": \"row {i * 7 % 10} of {name}\", \"completion\": \" {(i % 2 == 0 ? "even" : "odd")}\"}}"));
        return path;
    }
}
