using System.Globalization;
using System.Threading.Channels;
using LoraServe.Training;
using LoraServe.Training.Data;
using LoraServe.Training.Options;
using LoraServe.Training.Reports;

namespace LoraServe.Jobs.Tests;

/// <summary>A trainer that takes steps when it is let, checkpoints each and makes a small random adapter.</summary>
internal sealed class FakeRunner : ITrainingRunner
{
    private readonly Channel<bool> _steps = Channel.CreateUnbounded<bool>();
    private readonly TaskCompletionSource _began = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Settings of every run that began.</summary>
    public List<TrainingJobOptions> Runs { get; } = [];

    /// <summary>Is there once a run has begun.</summary>
    public Task Began => _began.Task;

    /// <summary>The first step that each run took.</summary>
    public List<int> FirstSteps { get; } = [];

    /// <summary>Fails runs before their first step.</summary>
    public Func<TrainingJobOptions, string, Exception?> Failure { get; set; } = (_, _) => null;

    /// <summary>Fails runs after a step, which has its checkpoint.</summary>
    public Func<int, Exception?>? FailureAfter { get; set; }

    /// <summary>Fails runs after their last step.</summary>
    public Exception? FailureAtEnd { get; set; }

    /// <summary>Refuses jobs.</summary>
    public string? Refusal { get; set; }

    /// <summary>Refuses rows.</summary>
    public Func<TrainingJobOptions, Exception?> RowRefusal { get; set; } = _ => null;

    public void LetStep(int steps = 1)
    {
        for (int i = 0; i < steps; i++)
        {
            _steps.Writer.TryWrite(true);
        }
    }

    public void Check(TrainingJobOptions options)
    {
        if (Refusal is { } refusal)
        {
            throw new TrainingOptionsException(refusal);
        }
    }

    public RowCheck CheckRows(TrainingJobOptions options, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (RowRefusal(options) is { } refusal)
        {
            throw refusal;
        }

        return new RowCheck(1, 1);
    }

    public int CheckpointedStep(string folder) => File.Exists(CheckpointIn(folder)) ? int.Parse(File.ReadAllText(CheckpointIn(folder)), CultureInfo.InvariantCulture) : 0;

    private static string CheckpointIn(string folder) => Path.Combine(folder, "checkpoint");

    public async Task<TrainingOutcome> RunAsync(TrainingJobOptions options, string folder, Action<TrainingProgress> progress, CancellationToken cancellationToken)
    {
        string checkpoint = CheckpointIn(folder);
        int done = CheckpointedStep(folder);
        lock (Runs)
        {
            Runs.Add(options);
            FirstSteps.Add(done + 1);
        }

        _began.TrySetResult();

        if (Failure(options, folder) is { } failure)
        {
            throw failure;
        }

        using MetricsLog log = MetricsLog.Open(Path.Combine(folder, MetricsLog.FileName), done);
        for (int step = done + 1; step <= options.Steps; step++)
        {
            await _steps.Reader.ReadAsync(cancellationToken);
            var taken = new TrainingProgress { Step = step, TotalSteps = options.Steps.Value, Loss = 1.0 / step, Tokens = 10L * step, EvaluationLoss = step == 1 ? 0.25 : null };
            log.Append(taken);
            await File.WriteAllTextAsync(checkpoint, step.ToString(CultureInfo.InvariantCulture), cancellationToken);
            progress(taken);
            if (FailureAfter?.Invoke(step) is { } disturbed)
            {
                throw disturbed;
            }
        }

        if (FailureAtEnd is { } late)
        {
            throw late;
        }

        string adapter = SmallEngine.WriteAdapter(Path.Combine(folder, "adapter"));
        var summary = new RunSummary
        {
            Name = "run",
            Model = "base",
            Method = options.Method,
            TrainableParameters = 128,
            AllParameters = 1000,
            Score = 0.5,
            TrainingTime = TimeSpan.FromSeconds(2),
        };
        return new TrainingOutcome(adapter, summary);
    }
}
