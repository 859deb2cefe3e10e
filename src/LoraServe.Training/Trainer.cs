using System.Collections.Concurrent;
using LoraServe.Compute;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Training.Data;
using LoraServe.Training.Options;
using LoraServe.Training.Reports;
using LoraServe.Training.Runs;
using LoraServe.Training.Steps;

namespace LoraServe.Training;

/// <summary>Trains any number of adapters on one base that is in memory: their batches go through it together.</summary>
/// <remarks>
/// One thread owns all runs. In each round every run begins a step, the parts of all steps pass through the model together, and
/// every run ends its step. What comes of a run is, bit for bit, what would have come of it alone.
/// </remarks>
public sealed class Trainer : ITrainingRunner, IDisposable
{
    private readonly LoadedModel _model;
    private readonly TrainerOptions _options;
    private readonly TimeProvider _time;
    private readonly BlockingCollection<Entry> _arrivals = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Thread _thread;

    /// <summary>Starts the thread.</summary>
    /// <param name="model">The base; must outlive the trainer. Whatever it serves in, it is trained on in exact arithmetic.</param>
    /// <param name="options">How the machine is used; null for the defaults.</param>
    /// <param name="time">The clock; the system's where null.</param>
    public Trainer(LoadedModel model, TrainerOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _options = options ?? new TrainerOptions();
        if (_options.Share is not (> 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(options), _options.Share, "The share of the time is above 0 to 1.");
        }

        _time = time ?? TimeProvider.System;
        _thread = new Thread(Work) { IsBackground = true, Name = "trainer" };
        _thread.Start();
    }

    /// <inheritdoc />
    public void Check(TrainingJobOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        GrowingRank.Check(options);
        Methods.MethodCatalog.Check(options, new Methods.TrainableContext(_model.Transformer) { BaseName = _model.Name });
    }

    /// <inheritdoc />
    public RowCheck CheckRows(TrainingJobOptions options, TimeSpan limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        long start = _time.GetTimestamp();
        using var rows = new RunRows(options, _model);
        return rows.Check(() =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            return _time.GetElapsedTime(start) >= limit;
        });
    }

    /// <inheritdoc />
    public int CheckpointedStep(string folder) => RunFolder.CheckpointedStep(folder);

    /// <summary>Gives up the run in a folder, done or not: the next run begins anew there, and replaces its files when it is done.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static void Discard(string folder) => RunFolder.Discard(folder);

    /// <inheritdoc />
    public Task<TrainingOutcome> RunAsync(TrainingJobOptions options, string folder, Action<TrainingProgress> progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(progress);
        ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
        var entry = new Entry(options, folder, progress, cancellationToken);
        _arrivals.Add(entry, CancellationToken.None);
        return entry.Outcome.Task;
    }

    /// <summary>Stops after the round that runs; runs that are not done are cancelled, their checkpoints stay.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        _thread.Join();
        _arrivals.Dispose();
        _stopping.Dispose();
    }

    private void Work()
    {
        if (_options.IsBackground)
        {
            BackgroundThread.YieldToOthers();
        }

        using var pool = new WorkerPool(_options.WorkerCount, _options.IsBackground);
        using ITrainingPass pass = _model.Transformer.ComputingIn(Arithmetic.Exact).CreateTraining(pool);
        var entries = new List<Entry>();
        while (!_stopping.IsCancellationRequested)
        {
            Admit(entries);
            long start = _time.GetTimestamp();
            Round(entries, pass, pool);
            Pause(_time.GetElapsedTime(start));
        }

        foreach (Entry entry in entries.Concat(_arrivals))
        {
            entry.End(() => throw new OperationCanceledException("The trainer was stopped."));
        }
    }

    /// <summary>Leaves the machine to others for as long as the share demands.</summary>
    private void Pause(TimeSpan round)
    {
        if (_options.Share < 1)
        {
            _stopping.Token.WaitHandle.WaitOne(round * ((1 - _options.Share) / _options.Share));
        }
    }

    /// <summary>Takes in what has arrived; waits where there is nothing to do.</summary>
    private void Admit(List<Entry> entries)
    {
        try
        {
            Entry? entry;
            while (entries.Count == 0 ? (entry = _arrivals.Take(_stopping.Token)) is not null : _arrivals.TryTake(out entry))
            {
                if (entry.Try(() => Begin(entry)) && entry.IsRunning)
                {
                    entries.Add(entry);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private void Begin(Entry entry)
    {
        if (RunFolder.FindDone(entry.Folder, entry.Options, _model) is { } outcome)
        {
            entry.End(() => outcome);
            return;
        }

        entry.Run = new TrainingRun(entry.Options, entry.Folder, _model, _time, _options.WorkerCount);
    }

    private void Round(List<Entry> entries, ITrainingPass pass, WorkerPool pool)
    {
        foreach (Entry entry in entries)
        {
            entry.Try(() =>
            {
                if (entry.CancellationToken.IsCancellationRequested)
                {
                    entry.Run!.Interrupt();
                    entry.CancellationToken.ThrowIfCancellationRequested();
                }

                entry.Parts = new Queue<StepPart>(entry.Run!.BeginStep(_options.TokensAtOnce));
            });
        }

        while (entries.Exists(entry => entry.IsRunning && entry.Parts.Count > 0))
        {
            Pass(entries, pass);
        }

        foreach (Entry entry in entries.Where(entry => entry.IsRunning))
        {
            entry.Try(() =>
            {
                entry.Progress(entry.Run!.EndStep(pass, pool, _options.TokensAtOnce));
                if (entry.Run.IsDone)
                {
                    entry.End(() => entry.Run.Finish(pass));
                }
            });
        }

        entries.RemoveAll(entry => !entry.IsRunning);
    }

    /// <summary>Takes the next part of as many runs as fit together, one of each.</summary>
    private void Pass(List<Entry> entries, ITrainingPass pass)
    {
        var taken = new List<Entry>();
        var parts = new List<StepPart>();
        int tokens = 0;
        foreach (Entry entry in entries.Where(entry => entry.IsRunning && entry.Parts.Count > 0))
        {
            if (parts.Count == 0 || tokens + entry.Parts.Peek().Tokens <= _options.TokensAtOnce)
            {
                taken.Add(entry);
                parts.Add(entry.Parts.Dequeue());
                tokens += parts[^1].Tokens;
            }
        }

        try
        {
            BatchShare[] references = [.. parts.SelectMany(part => part.References)];
            if (references.Length > 0)
            {
                pass.Run(references);
            }

            pass.Run([.. parts.Select(part => part.Share())], taken.Exists(entry => entry.Options.CheckpointActivations));
        }
        catch (Exception failure)
        {
            // Whose fault it was cannot be told, and their derivatives are lost; everybody else goes on.
            taken.ForEach(entry => entry.Fail(failure));
        }
    }

    private sealed class Entry(TrainingJobOptions options, string folder, Action<TrainingProgress> progress, CancellationToken cancellationToken)
    {
        public TrainingJobOptions Options { get; } = options;

        public string Folder { get; } = folder;

        public Action<TrainingProgress> Progress { get; } = progress;

        public CancellationToken CancellationToken { get; } = cancellationToken;

        public TaskCompletionSource<TrainingOutcome> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TrainingRun? Run { get; set; }

        public Queue<StepPart> Parts { get; set; } = [];

        public bool IsRunning => !Outcome.Task.IsCompleted;

        /// <summary>Does something for the run, which fails alone where that does.</summary>
        public bool Try(Action action)
        {
            try
            {
                action();
                return true;
            }
            catch (Exception failure)
            {
                Fail(failure);
                return false;
            }
        }

        /// <summary>Ends the run without an outcome.</summary>
        public void Fail(Exception failure)
        {
            if (failure is OperationCanceledException cancelled)
            {
                Outcome.TrySetCanceled(cancelled.CancellationToken);
            }
            else
            {
                Outcome.TrySetException(failure);
            }

            Run?.Dispose();
        }

        /// <summary>Ends the run with an outcome.</summary>
        public void End(Func<TrainingOutcome> finish) => Try(() =>
        {
            TrainingOutcome outcome = finish();
            Run?.Dispose();
            Outcome.TrySetResult(outcome);
        });
    }
}
