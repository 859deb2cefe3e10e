using LoraServe.Models.Backward;

namespace LoraServe.Training.Data;

/// <summary>The rows of a data set as examples, tokenised when they are asked for.</summary>
/// <remarks>Examples are kept as long as they are few tokens together, so that later epochs find them; the texts never are. For one thread at a time.</remarks>
/// <typeparam name="TExample"><see cref="TrainingExample"/> or <see cref="PreferenceExample"/>.</typeparam>
internal sealed class TrainingSet<TExample>
    where TExample : class
{
    /// <summary>Tokens of the examples kept: 8 bytes each, with the labels.</summary>
    private const long MaximumKeptTokens = 16 << 20;

    private readonly DataFile _file;
    private readonly Func<DataRow, (TExample? Example, bool IsLong)> _encode;
    private readonly Func<TExample, int> _measure;
    private readonly ExampleOptions _options;
    private readonly TExample?[] _kept;
    private readonly RowFate[] _fates;
    private long _keptTokens;

    /// <param name="file">The rows.</param>
    /// <param name="encode">Tokenises a row: null where nothing is left of it to learn, and whether it is longer than it may be.</param>
    /// <param name="measure">Counts an example's tokens.</param>
    /// <param name="options">How rows become examples.</param>
    internal TrainingSet(DataFile file, Func<DataRow, (TExample? Example, bool IsLong)> encode, Func<TExample, int> measure, ExampleOptions options)
    {
        _file = file;
        _encode = encode;
        _measure = measure;
        _options = options;
        SkipsUnlabelled = options.SkipsUnlabelled || options.LongRows == LongRows.Skip;
        _kept = new TExample?[file.Count];
        _fates = new RowFate[file.Count];
    }

    /// <summary>Rows, those that will be left out included.</summary>
    public int Count => _kept.Length;

    /// <summary>The file, as the caller named it.</summary>
    public string Path => _file.Path;

    /// <summary>Whether rows whose labels are all cut off are left out; else they are an error.</summary>
    public bool SkipsUnlabelled { get; }

    /// <summary>Rows read so far that were cut.</summary>
    public int CutRows => _fates.Count(fate => fate == RowFate.Cut);

    /// <summary>Rows read so far that were left out.</summary>
    public int SkippedRows => _fates.Count(fate => fate == RowFate.Skipped);

    /// <summary>Tokens of an example; of a preference, those of both sequences.</summary>
    public int TokensOf(TExample example) => _measure(example);

    /// <summary>The example of a row, or null where it is left out.</summary>
    /// <param name="row">Counted from 0.</param>
    /// <exception cref="TrainingDataException">The row is damaged, of another kind, or has nothing left to learn.</exception>
    public TExample? Find(int row)
    {
        if (_kept[row] is { } kept)
        {
            return kept;
        }

        if (Read(row) is not { } example)
        {
            return null;
        }

        int tokens = _measure(example);
        if (_keptTokens + tokens <= MaximumKeptTokens)
        {
            _keptTokens += tokens;
            _kept[row] = example;
        }

        return example;
    }

    /// <summary>The example of a row, or null where it is left out, without keeping it for later.</summary>
    /// <inheritdoc cref="Find" path="/param|/exception"/>
    public TExample? Read(int row)
    {
        DataRow text = _file.Read(row);
        (TExample? example, bool isLong) = _encode(text);
        if (isLong && _options.LongRows == LongRows.Refuse)
        {
            throw text.Wrong($"has more than {_options.MaximumLength} tokens. Shorten it, raise the maximum length where the model's context allows it, or have long rows cut or left out (long rows: truncate, skip).");
        }

        if (isLong && _options.LongRows == LongRows.Skip)
        {
            example = null;
        }

        if (example is null && !SkipsUnlabelled)
        {
            throw text.Wrong(
                $"nothing to learn is left of the row within its first {_options.MaximumLength} tokens, to which rows are cut. Shorten its prompt, leave the row out, or raise the maximum length where the model's context allows it.");
        }

        _fates[row] = example is null ? RowFate.Skipped : isLong ? RowFate.Cut : RowFate.Whole;
        return example;
    }

    private enum RowFate : byte
    {
        Whole,
        Cut,
        Skipped,
    }
}
