using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Training.Data;
using LoraServe.Training.Options;

namespace LoraServe.Training.Runs;

/// <summary>What a run reads: rows to train on, rows to evaluate on.</summary>
internal sealed class RunData : IDisposable
{
    /// <summary>Rows of a batch where nothing is said.</summary>
    public const int UsualRows = 16;

    private readonly TrainingJobOptions _options;
    private readonly RunRows _rows;
    private readonly BatchOptions _batches;
    private BatchReader<TrainingExample>? _completions;
    private BatchReader<PreferenceExample>? _preferences;
    private int _epoch;

    /// <summary>Opens the files and reads the first rows.</summary>
    /// <exception cref="TrainingDataException">They cannot be read or are wrong; the message names file and line.</exception>
    /// <exception cref="TrainingOptionsException">A setting does not go with the data.</exception>
    public RunData(TrainingJobOptions options, LoadedModel model)
    {
        _options = options;
        _rows = new RunRows(options, model);
        try
        {
            _batches = new BatchOptions
            {
                Rows = options.BatchTokens is null ? options.BatchRows ?? UsualRows : int.MaxValue,
                MaximumTokens = options.BatchTokens,
                Seed = options.Seed,
            };
            Seek(default);
            Evaluation = _rows.Evaluation is { } rows
                ? [.. Enumerable.Range(0, rows.Count).Select(rows.Find).OfType<TrainingExample>()]
                : [.. _rows.Split.Evaluation.Select(_rows.Completions.Find).OfType<TrainingExample>()];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The place of the batch that is read next.</summary>
    public BatchCursor Cursor => _preferences?.Cursor ?? _completions!.Cursor;

    /// <summary>The rows to train on, as sequences; of a preference the chosen one.</summary>
    public IEnumerable<TrainingExample> Examples => _rows.Split.Training.Select(_rows.Completions.Find).OfType<TrainingExample>();

    /// <summary>Examples to evaluate on; none without an evaluation.</summary>
    public IReadOnlyList<TrainingExample> Evaluation { get; }

    /// <summary>The rows themselves.</summary>
    public RunRows Rows => _rows;

    /// <summary>Goes on from a place.</summary>
    public void Seek(BatchCursor cursor)
    {
        _completions = _rows.Preferences is null ? new BatchReader<TrainingExample>(_rows.Completions, _rows.Split.Training, _batches, cursor) : null;
        _preferences = _rows.Preferences is { } pairs ? new BatchReader<PreferenceExample>(pairs, _rows.Split.Training, _batches, cursor) : null;
        _epoch = cursor.Epoch;
    }

    /// <summary>The examples of the next step.</summary>
    public List<TrainingExample> NextExamples() => Next(_completions!);

    /// <summary>The pairs of the next step.</summary>
    public List<PreferenceExample> NextPairs() => Next(_preferences!);

    /// <summary>Steps of the whole run.</summary>
    public int CountSteps()
    {
        if (_options.Steps is { } steps)
        {
            return steps;
        }

        double epochs = _options.Epochs ?? 1;
        double batches = epochs <= 1 || epochs == Math.Floor(epochs)
            ? CountBatches((int)Math.Ceiling(epochs)) * epochs / Math.Ceiling(epochs)
            : CountBatches(1) * epochs;
        double counted = Math.Ceiling(batches / _options.AccumulationSteps);
        return counted <= int.MaxValue
            ? Math.Max(1, (int)counted)
            : throw new TrainingOptionsException(FormattableString.Invariant($"{epochs} epochs of these rows are {counted:0} steps; expected at most {int.MaxValue}. Train for fewer."));
    }

    /// <summary>Whether an epoch has ended since the last call.</summary>
    public bool HasBegunEpoch()
    {
        bool hasBegun = Cursor.Epoch > _epoch;
        _epoch = Cursor.Epoch;
        return hasBegun;
    }

    /// <inheritdoc />
    public void Dispose() => _rows.Dispose();

    private long CountBatches(int epochs) => _preferences?.CountBatches(epochs) ?? _completions!.CountBatches(epochs);

    private List<T> Next<T>(BatchReader<T> reader)
        where T : class
    {
        var examples = new List<T>();
        for (int i = 0; i < _options.AccumulationSteps; i++)
        {
            examples.AddRange(reader.Next());
        }

        return examples;
    }
}
