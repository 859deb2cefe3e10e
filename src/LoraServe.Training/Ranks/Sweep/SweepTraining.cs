using System.Collections.Immutable;
using System.Globalization;
using LoraServe.Training.Data;
using LoraServe.Training.Options;
using LoraServe.Training.Reports;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Ranks.Sweep;

/// <summary>Scores a sweep's candidates by training them: those of a fold all together, in one ragged batch.</summary>
public static class SweepTraining
{
    // Evaluations come at the end alone.
    private const int Never = 1 << 30;

    /// <summary>Trains every candidate on every fold and chooses by the loss on the rows left out.</summary>
    /// <param name="runner">Trains; all runs of a fold are given to it at once.</param>
    /// <param name="sweep">Ranks, rates and folds.</param>
    /// <param name="options">What all runs have in common; rank, rate and rows to evaluate on are the sweep's.</param>
    /// <param name="folder">An empty folder for the folds' rows and the runs.</param>
    /// <param name="stepDone">Called after each step of each run, from the thread that trains.</param>
    /// <param name="cancellationToken">Gives up after the step that runs.</param>
    /// <exception cref="ArgumentException">There are fewer rows than folds.</exception>
    /// <exception cref="InvalidOperationException">Every candidate diverged.</exception>
    /// <exception cref="TrainingOptionsException">A setting is wrong.</exception>
    public static Task<SweepResult> RunAsync(
        ITrainingRunner runner, RankSweep sweep, TrainingJobOptions options, string folder, Action? stepDone = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(runner);
        ArgumentNullException.ThrowIfNull(sweep);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(folder);
        return Task.Run(
            () =>
            {
                using DataFile rows = DataFile.Open(options.DataFile);
                return sweep.Run(rows.Count, (fold, candidates) => Losses(fold, candidates, rows));
            },
            cancellationToken);

        double[] Losses(SweepFold fold, ImmutableArray<RankCandidate> candidates, DataFile rows)
        {
            string place = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"fold-{fold.Number}"));
            Directory.CreateDirectory(place);
            TrainingJobOptions common = options with
            {
                DataFile = Write(rows, fold.Training, Path.Combine(place, "training.jsonl")),
                EvaluationFile = Write(rows, fold.Validation, Path.Combine(place, "validation.jsonl")),
                EvaluationShare = 0,
                EvaluationInterval = Never,
                CheckpointInterval = 0,
                Patience = 0,
                ChoosesRank = false,
                Growth = null,
            };
            return Task.WhenAll(candidates.Select((candidate, index) => LossAsync(
                common with { Rank = candidate.Rank, LearningRate = candidate.LearningRate },
                Path.Combine(place, string.Create(CultureInfo.InvariantCulture, $"candidate-{index}"))))).GetAwaiter().GetResult();
        }

        async Task<double> LossAsync(TrainingJobOptions candidate, string place)
        {
            double loss = double.NaN;
            try
            {
                await runner.RunAsync(candidate, place, Note, cancellationToken).ConfigureAwait(false);
                return loss;
            }
            catch (DivergenceException)
            {
                return double.PositiveInfinity;
            }

            void Note(TrainingProgress progress)
            {
                loss = progress.EvaluationLoss ?? loss;
                stepDone?.Invoke();
            }
        }
    }

    private static string Write(DataFile rows, ImmutableArray<int> which, string path)
    {
        using FileStream file = File.Create(path);
        foreach (int row in which)
        {
            file.Write(rows.Text(row));
            file.WriteByte((byte)'\n');
        }

        return path;
    }
}
