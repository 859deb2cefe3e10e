using LoraServe.Models;
using LoraServe.Training.Data;

namespace LoraServe.Training.Runs;

/// <summary>What a run reads: rows to train on, rows to evaluate on.</summary>
internal sealed class RunData : IDisposable
{
    /// <summary>Rows of a batch where nothing is said.</summary>
    public const int UsualRows = 16;

    private readonly TrainingJobOptions _options;
    private readonly List<DataFile> _files = [];
    private readonly BatchOptions _batches;
    private readonly TrainingSet<TrainingExample> _set;
    private readonly IReadOnlyList<int> _rows;
    private int _epoch;

    /// <summary>Opens the files and reads the first rows.</summary>
    /// <exception cref="TrainingDataException">They cannot be read or are wrong; the message names file and line.</exception>
    /// <exception cref="TrainingOptionsException">A setting does not go with the data.</exception>
    public RunData(TrainingJobOptions options, LoadedModel model)
    {
        _options = options;
        try
        {
            RowTokenizer tokenizer = RowTokenizer.Of(model);
            int length = Math.Min(options.MaximumLength ?? int.MaxValue, model.Transformer.Spec.ContextLength);
            var examples = new ExampleOptions { MaximumLength = length, LabelsPrompts = options.LossOnPrompt };
            _set = TrainingSets.Completions(Open(options.DataFile), tokenizer, examples);
            DataSplit split = DataSplit.Of(_set.Count, options.EvaluationShare, options.Seed);
            _rows = split.Training;
            _batches = new BatchOptions
            {
                Rows = options.BatchTokens is null ? options.BatchRows ?? UsualRows : int.MaxValue,
                MaximumTokens = options.BatchTokens,
                Seed = options.Seed,
            };
            Training = new BatchReader<TrainingExample>(_set, _rows, _batches);
            Evaluation = options.EvaluationFile is { } file
                ? All(TrainingSets.Completions(Open(file), tokenizer, examples with { SkipsUnlabelled = true }))
                : [.. split.Evaluation.Select(_set.Find).OfType<TrainingExample>()];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Batches to train on.</summary>
    public BatchReader<TrainingExample> Training { get; private set; }

    /// <summary>Examples to evaluate on; none without an evaluation.</summary>
    public IReadOnlyList<TrainingExample> Evaluation { get; }

    /// <summary>What tells the rows to train on from others.</summary>
    public string Fingerprint => _files[0].Fingerprint;

    /// <summary>Goes on from a place.</summary>
    public void Seek(BatchCursor cursor)
    {
        Training = new BatchReader<TrainingExample>(_set, _rows, _batches, cursor);
        _epoch = cursor.Epoch;
    }

    /// <summary>Steps of the whole run.</summary>
    public int CountSteps()
    {
        if (_options.Steps is { } steps)
        {
            return steps;
        }

        double epochs = _options.Epochs ?? 1;
        double batches = epochs <= 1 || epochs == Math.Floor(epochs)
            ? Training.CountBatches((int)Math.Ceiling(epochs)) * epochs / Math.Ceiling(epochs)
            : Training.CountBatches(1) * epochs;
        return Math.Max(1, checked((int)Math.Ceiling(batches / _options.AccumulationSteps)));
    }

    /// <summary>Whether an epoch has ended since the last call.</summary>
    public bool HasBegunEpoch()
    {
        bool hasBegun = Training.Cursor.Epoch > _epoch;
        _epoch = Training.Cursor.Epoch;
        return hasBegun;
    }

    /// <inheritdoc />
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private DataFile Open(string path)
    {
        DataFile file = DataFile.Open(path);
        _files.Add(file);
        return file;
    }

    private static TrainingExample[] All(TrainingSet<TrainingExample> set) => [.. Enumerable.Range(0, set.Count).Select(set.Find).OfType<TrainingExample>()];
}
