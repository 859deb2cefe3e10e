using LoraServe.Models.Backward;
using LoraServe.Training.Data;

namespace LoraServe.Training.Ranks;

/// <summary>What a data set asks an adapter to learn, counted over its completions.</summary>
/// <param name="Rows">Number of examples.</param>
/// <param name="CompletionTokens">Tokens with loss.</param>
/// <param name="DistinctCompletions">How many different completions there are.</param>
/// <param name="DistinctTokens">How many different tokens occur in them.</param>
public sealed record DataSetFacts(int Rows, long CompletionTokens, int DistinctCompletions, int DistinctTokens)
{
    // A completion as long as this is as long as length matters.
    private const double LongCompletion = 256;

    // With at least so many rows for each answer the answers are labels.
    private const int RowsPerLabel = 20;

    /// <summary>Tokens of a completion on average.</summary>
    public double MeanCompletionTokens => (double)CompletionTokens / Math.Max(1, Rows);

    /// <summary>Whether few answers recur so often that they must be labels.</summary>
    public bool LooksLikeClassification => (long)DistinctCompletions * RowsPerLabel <= Rows;

    /// <summary>Counts over the answers of a file's rows.</summary>
    /// <param name="file">The rows.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="maximumLength">Tokens that a row is cut to.</param>
    /// <param name="afterEach">Called after each row; null for nobody to tell.</param>
    /// <exception cref="TrainingDataException">A row is damaged.</exception>
    public static DataSetFacts Read(DataFile file, RowTokenizer tokenizer, int maximumLength, Action? afterEach = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(tokenizer);
        var options = new ExampleOptions { MaximumLength = maximumLength };
        return Of(Examples());

        IEnumerable<TrainingExample> Examples()
        {
            for (int row = 0; row < file.Count; row++)
            {
                if (tokenizer.Encode(file.Read(row), options) is { } example)
                {
                    yield return example;
                }

                afterEach?.Invoke();
            }
        }
    }

    /// <summary>Counts over the labelled tokens of examples, reading each once.</summary>
    public static DataSetFacts Of(IEnumerable<TrainingExample> examples)
    {
        ArgumentNullException.ThrowIfNull(examples);
        int rows = 0;
        long completionTokens = 0;
        var completions = new HashSet<ulong>();
        var tokens = new HashSet<int>();
        foreach (TrainingExample example in examples)
        {
            // FNV-1a: 64 bits tell millions of completions apart without keeping them.
            ulong hash = 14695981039346656037;
            foreach (int label in example.Labels)
            {
                if (label != TrainingExample.NoLabel)
                {
                    hash = (hash ^ (uint)label) * 1099511628211;
                    tokens.Add(label);
                    completionTokens++;
                }
            }

            completions.Add(hash);
            rows++;
        }

        return new DataSetFacts(rows, completionTokens, completions.Count, tokens.Count);
    }

    /// <summary>
    /// Complexity of the task, 0 to 1: the mean of variety (logarithm of the number of distinct completions over that of rows),
    /// length (logarithm of the mean number of tokens over that of 256) and vocabulary (logarithm of the number of distinct
    /// tokens over that of the model's).
    /// </summary>
    /// <remarks>
    /// An estimate of ours, so that the rule by width and complexity needs nobody's guess: about 0.2 for the labels of a
    /// classification, about 0.8 for free text of some sentences.
    /// </remarks>
    /// <param name="vocabularySize">Tokens of the model.</param>
    public double Complexity(int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        return (Share(DistinctCompletions, Rows) + Share(MeanCompletionTokens, LongCompletion) + Share(DistinctTokens, vocabularySize)) / 3;

        static double Share(double value, double most) => most <= 0 ? 0 : Math.Clamp(Math.Log(1 + value) / Math.Log(1 + most), 0, 1);
    }
}
