namespace LoraServe.Training.Data;

/// <summary>Makes the examples of a data set.</summary>
public static class TrainingSets
{
    /// <summary>Sequences whose answers are learnt.</summary>
    /// <param name="file">The rows, of any kind.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="maximumLength">Rows are cut on the right to this many tokens.</param>
    /// <param name="skipsUnlabelled">Whether rows of which nothing to learn is left are skipped instead of being an error.</param>
    public static TrainingSet<TrainingExample> Completions(DataFile file, RowTokenizer tokenizer, int maximumLength, bool skipsUnlabelled = false)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(tokenizer);
        return new(file, row => tokenizer.Encode(row, maximumLength), example => example.Tokens.Length, skipsUnlabelled);
    }

    /// <summary>Pairs of which one answer is preferred.</summary>
    /// <param name="file">Rows with <c>prompt</c>, <c>chosen</c> and <c>rejected</c>.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="maximumLength">Both sequences are cut on the right to this many tokens.</param>
    /// <param name="skipsUnlabelled">Whether rows of which nothing to learn is left are skipped instead of being an error.</param>
    public static TrainingSet<PreferenceExample> Preferences(DataFile file, RowTokenizer tokenizer, int maximumLength, bool skipsUnlabelled = false)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(tokenizer);
        return new(file, row => tokenizer.EncodePair(row, maximumLength), pair => pair.Chosen.Tokens.Length + pair.Rejected.Tokens.Length, skipsUnlabelled);
    }
}
