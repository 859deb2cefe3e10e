using LoraServe.Training.Data;
using LoraServe.Training.Options;
using LoraServe.Training.Reports;

namespace LoraServe.Training;

/// <summary>Trains on one base that is in memory. Any thread may call.</summary>
public interface ITrainingRunner
{
    /// <summary>Refuses what cannot work, without taking long: wrong settings, an unknown method, targets that the model does not have, an adapter that cannot be gone on from.</summary>
    /// <exception cref="TrainingOptionsException">A setting is wrong.</exception>
    void Check(TrainingJobOptions options);

    /// <summary>Reads the rows as the run will, so that a bad one is refused before anybody waits for it.</summary>
    /// <param name="options">The settings, which were checked.</param>
    /// <param name="limit">After which time no more are looked at. A file itself is gone through once in any case, to find its rows.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TrainingDataException">A row is wrong; the message names file and line.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    RowCheck CheckRows(TrainingJobOptions options, TimeSpan limit, CancellationToken cancellationToken);

    /// <summary>The step of the furthest checkpoint in a run's folder; 0 where there is none.</summary>
    int CheckpointedStep(string folder);

    /// <summary>Trains to the end, or goes on from the checkpoint in the folder of an interrupted run. Where the same run is done there, nothing is trained.</summary>
    /// <param name="options">What is trained, on what, and how.</param>
    /// <param name="folder">The run's own: <c>metrics.jsonl</c>, checkpoints, <c>report.html</c> and the result lie there.</param>
    /// <param name="progress">Called after each step, from the thread that trains; must return soon and not throw.</param>
    /// <param name="cancellationToken">Stops after the step that runs, with a checkpoint to go on from.</param>
    /// <exception cref="TrainingOptionsException">A setting is wrong, or the folder has a run of others; the message names which.</exception>
    /// <exception cref="TrainingDataException">A row is wrong; the message names file and line.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    Task<TrainingOutcome> RunAsync(TrainingJobOptions options, string folder, Action<TrainingProgress> progress, CancellationToken cancellationToken);
}
