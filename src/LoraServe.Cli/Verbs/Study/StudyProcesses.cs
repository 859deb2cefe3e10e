using System.Globalization;
using LoraServe.Cli.Arguments;
using LoraServe.Compute;
using LoraServe.Models;
using LoraServe.Studio.Evaluation;
using LoraServe.Studio.Studies;
using LoraServe.Training.Reports;

namespace LoraServe.Cli.Verbs.Study;

/// <summary>Does a study's work by verbs of this program, each in a process of its own.</summary>
internal sealed class StudyProcesses(StudyOptions options) : IStudyWorker
{
    private const string MostTokensOfAnAnswer = "128";

    public Task<(EvaluationResult? Result, string? Failure)> EvaluateAsync(StudyTask task, CancellationToken cancellationToken) => OwnProcess.RunAsync<EvaluationResult>(
        [
            "eval", "--model", options.ModelPath, "--threads", options.Threads.ToString(CultureInfo.InvariantCulture), "--arithmetic", "exact",
            "--data", task.EvaluationFile, "--max-tokens", MostTokensOfAnAnswer, "--json",
        ],
        static _ => { },
        cancellationToken);

    public Task<(RunSummary? Result, string? Failure)> TrainAsync(StudyRun run, Action<string> progress, CancellationToken cancellationToken) => OwnProcess.RunAsync<RunSummary>(
        ["train", "--model", options.ModelPath, "--data", run.Task.TrainingFile, "--eval", run.Task.EvaluationFile, .. run.Choices, "--out", run.Folder, "--json"], progress, cancellationToken);

    public LoadedModel Load() => ModelArguments.Load(options.ModelPath, Arithmetic.Fast, options.Threads);
}
