using LoraServe.Models.Backward;

namespace LoraServe.Training.Data;

/// <summary>Makes the examples of a data set.</summary>
internal static class TrainingSets
{
    /// <summary>Sequences whose answers are learnt, of rows of any kind.</summary>
    public static TrainingSet<TrainingExample> Completions(DataFile file, RowTokenizer tokenizer, ExampleOptions options) =>
        new(file, row => (tokenizer.Encode(row, options, out bool isLong), isLong), example => example.Tokens.Length, options);

    /// <summary>Pairs of which one answer is preferred, of rows with <c>prompt</c>, <c>chosen</c> and <c>rejected</c>.</summary>
    public static TrainingSet<PreferenceExample> Preferences(DataFile file, RowTokenizer tokenizer, ExampleOptions options) =>
        new(file, row => (tokenizer.EncodePair(row, options, out bool isLong), isLong), pair => pair.Chosen.Tokens.Length + pair.Rejected.Tokens.Length, options);
}
