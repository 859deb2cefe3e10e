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
    private readonly IReadOnlyList<int> _rows;
    private readonly TrainingSet<TrainingExample> _set;
    private readonly TrainingSet<PreferenceExample>? _pairs;
    private BatchReader<TrainingExample>? _completions;
    private BatchReader<PreferenceExample>? _preferences;
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
            DataFile rows = Open(options.DataFile);
            _set = TrainingSets.Completions(rows, tokenizer, examples);
            _pairs = options.Loss == LossKind.Supervised ? null : TrainingSets.Preferences(rows, tokenizer, examples);
            DataSplit split = DataSplit.Of(_set.Count, options.EvaluationShare, options.Seed);
            _rows = split.Training;
            _batches = new BatchOptions
            {
                Rows = options.BatchTokens is null ? options.BatchRows ?? UsualRows : int.MaxValue,
                MaximumTokens = options.BatchTokens,
                Seed = options.Seed,
            };
            Seek(default);
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

    /// <summary>The place of the batch that is read next.</summary>
    public BatchCursor Cursor => _preferences?.Cursor ?? _completions!.Cursor;

    /// <summary>The rows to train on, as sequences; of a preference the chosen one.</summary>
    public IEnumerable<TrainingExample> Examples => _rows.Select(_set.Find).OfType<TrainingExample>();

    /// <summary>Examples to evaluate on; none without an evaluation.</summary>
    public IReadOnlyList<TrainingExample> Evaluation { get; }

    /// <summary>What tells the rows to train on from others.</summary>
    public string Fingerprint => _files[0].Fingerprint;

    /// <summary>Goes on from a place.</summary>
    public void Seek(BatchCursor cursor)
    {
        _completions = _pairs is null ? new BatchReader<TrainingExample>(_set, _rows, _batches, cursor) : null;
        _preferences = _pairs is null ? null : new BatchReader<PreferenceExample>(_pairs, _rows, _batches, cursor);
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
        return Math.Max(1, checked((int)Math.Ceiling(batches / _options.AccumulationSteps)));
    }

    /// <summary>Whether an epoch has ended since the last call.</summary>
    public bool HasBegunEpoch()
    {
        bool hasBegun = Cursor.Epoch > _epoch;
        _epoch = Cursor.Epoch;
        return hasBegun;
    }

    /// <inheritdoc />
    public void Dispose() => _files.ForEach(file => file.Dispose());

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

    private DataFile Open(string path)
    {
        DataFile file = DataFile.Open(path);
        _files.Add(file);
        return file;
    }

    private static TrainingExample[] All(TrainingSet<TrainingExample> set) => [.. Enumerable.Range(0, set.Count).Select(set.Find).OfType<TrainingExample>()];
}
