using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Models.Config;
using LoraServe.Models.Text;
using LoraServe.Training.Data;
using LoraServe.Training.Losses;
using LoraServe.Training.Options;

namespace LoraServe.Training.Runs;

/// <summary>The rows of a run: what is trained on, and what is evaluated on.</summary>
internal sealed class RunRows : IDisposable
{
    private readonly List<DataFile> _files = [];

    /// <summary>Opens the files; rows are read when they are asked for.</summary>
    /// <exception cref="TrainingDataException">A file has no rows, or too few to divide.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    /// <exception cref="ModelFormatException">The model has no tokenizer.</exception>
    public RunRows(TrainingJobOptions options, LoadedModel model)
    {
        try
        {
            Brought = options is { InitFrom: { } initial, KeepsBaseTemplate: not true } ? ModelText.ReadAdapter(initial, initial) : null;
            RowTokenizer tokenizer = RowTokenizer.Of(model, Brought);
            int length = Math.Min(options.MaximumLength ?? int.MaxValue, model.Transformer.Spec.ContextLength);
            var examples = new ExampleOptions { MaximumLength = length, LabelsPrompts = options.LossOnPrompt, LongRows = options.LongRows ?? LongRows.Truncate };
            RowFormat format = options.Format ?? RowFormat.Auto;
            DataFile rows = Open(options.DataFile, format);
            Completions = TrainingSets.Completions(rows, tokenizer, examples);
            Preferences = options.Loss == LossKind.Supervised ? null : TrainingSets.Preferences(rows, tokenizer, examples);
            if (options.EvaluationShare > 0 && rows.Count < 2)
            {
                throw new TrainingDataException(rows.Path, "has one row, of which no share can be kept apart for evaluation. Add rows, or evaluate on a file of its own.");
            }

            Split = DataSplit.Of(rows.Count, options.EvaluationShare, options.Seed);
            var evaluated = examples with { SkipsUnlabelled = true, LongRows = examples.LongRows == LongRows.Refuse ? LongRows.Truncate : examples.LongRows };
            Evaluation = options.EvaluationFile is { } file ? TrainingSets.Completions(Open(file, format), tokenizer, evaluated) : null;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The chat templates of the adapter that is gone on from, through which conversations are put; null where the base's are.</summary>
    public ModelText? Brought { get; }

    /// <summary>The rows as sequences; of a preference the chosen one.</summary>
    public TrainingSet<TrainingExample> Completions { get; }

    /// <summary>The rows as pairs; null where single answers are learnt.</summary>
    public TrainingSet<PreferenceExample>? Preferences { get; }

    /// <summary>Which of the rows are trained and which evaluated on.</summary>
    public DataSplit Split { get; }

    /// <summary>Rows of a file of their own to evaluate on; null for none.</summary>
    public TrainingSet<TrainingExample>? Evaluation { get; }

    /// <summary>What the rows to train on were taken for.</summary>
    public string Description => _files[0].Describe();

    /// <summary>Rows read so far that were cut to the maximum length.</summary>
    public int CutRows => Completions.CutRows + (Preferences?.CutRows ?? 0) + (Evaluation?.CutRows ?? 0);

    /// <summary>Rows read so far that were left out.</summary>
    public int SkippedRows => Completions.SkippedRows + (Preferences?.SkippedRows ?? 0) + (Evaluation?.SkippedRows ?? 0);

    /// <summary>What tells the rows to train on from others.</summary>
    public string Fingerprint => _files[0].Fingerprint;

    /// <summary>What tells the rows of an evaluation file from others; null without one.</summary>
    public string? EvaluationFingerprint => _files.Count > 1 ? _files[1].Fingerprint : null;

    /// <summary>Reads every row as the run will, in the order of the files.</summary>
    /// <param name="isEnough">Asked before each row, whether the others are left unread.</param>
    /// <exception cref="TrainingDataException">A row is wrong.</exception>
    public RowCheck Check(Func<bool> isEnough)
    {
        // Rows kept apart are scored as sequences, also where pairs are learnt.
        HashSet<int> apart = [.. Split.Evaluation];
        int total = Completions.Count + (Evaluation?.Count ?? 0);
        for (int row = 0; row < total; row++)
        {
            if (isEnough())
            {
                return new RowCheck(row, total);
            }

            if (row >= Completions.Count)
            {
                Evaluation!.Read(row - Completions.Count);
            }
            else if (Preferences is not null && !apart.Contains(row))
            {
                Preferences.Read(row);
            }
            else
            {
                Completions.Read(row);
            }
        }

        return new RowCheck(total, total);
    }

    /// <inheritdoc />
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private DataFile Open(string path, RowFormat format)
    {
        DataFile file = DataFile.Open(path, format);
        _files.Add(file);
        return file;
    }
}
