using LoraServe.Training.Reports;

namespace LoraServe.Training;

/// <summary>Trains on one base that is in memory. Any thread may call.</summary>
public interface ITrainingRunner
{
    /// <summary>Refuses what cannot work, without taking long: wrong settings, an unknown method, targets that the model does not have, an adapter that cannot be gone on from.</summary>
    /// <exception cref="TrainingOptionsException">A setting is wrong.</exception>
    void Check(TrainingJobOptions options);

    /// <summary>Trains to the end, or goes on from the checkpoint in the folder of an interrupted run.</summary>
    /// <param name="options">What is trained, on what, and how.</param>
    /// <param name="folder">The run's own: <c>metrics.jsonl</c>, checkpoints, <c>report.html</c> and the result lie there.</param>
    /// <param name="progress">Called after each step, from the thread that trains; must return soon and not throw.</param>
    /// <param name="cancellationToken">Stops after the step that runs, with a checkpoint to go on from.</param>
    /// <exception cref="TrainingOptionsException">A setting or the data is wrong; the message names the field, or the file and its line.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    Task<TrainingOutcome> RunAsync(TrainingJobOptions options, string folder, Action<TrainingProgress> progress, CancellationToken cancellationToken);
}
