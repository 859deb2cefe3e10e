using LoraServe.Models;
using LoraServe.Studio.Evaluation;
using LoraServe.Training.Reports;

namespace LoraServe.Studio.Studies;

/// <summary>Does a study's work in processes, or on machines, of its own: the most memory that a process had never falls, so that each run needs one to be measured.</summary>
public interface IStudyWorker
{
    /// <summary>Evaluates the untouched base on a task.</summary>
    /// <param name="task">The task.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What it found, or in one line why it found nothing.</returns>
    Task<(EvaluationResult? Result, string? Failure)> EvaluateAsync(StudyTask task, CancellationToken cancellationToken);

    /// <summary>Trains one method on one task, into the run's folder.</summary>
    /// <param name="run">The run.</param>
    /// <param name="progress">Takes each line of progress, on any thread.</param>
    /// <param name="cancellationToken">Stops it; its last checkpoint stays.</param>
    /// <returns>What came of it, or in one line why nothing did.</returns>
    Task<(RunSummary? Result, string? Failure)> TrainAsync(StudyRun run, Action<string> progress, CancellationToken cancellationToken);

    /// <summary>Loads the base into this process, to serve it.</summary>
    LoadedModel Load();
}
