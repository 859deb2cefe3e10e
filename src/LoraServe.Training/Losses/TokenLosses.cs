namespace LoraServe.Training.Losses;

/// <summary>−log p of the labelled tokens of a batch's sequences, sequence after sequence. Of preferences, the sequences are chosen, rejected, chosen, rejected …</summary>
/// <param name="values">One for each labelled token.</param>
/// <param name="counts">Labelled tokens of each sequence.</param>
internal readonly ref struct TokenLosses(ReadOnlySpan<float> values, ReadOnlySpan<int> counts)
{
    private readonly ReadOnlySpan<float> _values = values;
    private readonly ReadOnlySpan<int> _counts = counts;

    /// <summary>Sequences.</summary>
    public int Count => _counts.Length;

    /// <summary>Labelled tokens of a sequence.</summary>
    public int TokensOf(int sequence) => _counts[sequence];

    /// <summary>Where a sequence's tokens are among all.</summary>
    public Range PlaceOf(int sequence)
    {
        int start = 0;
        foreach (int count in _counts[..sequence])
        {
            start += count;
        }

        return start..(start + _counts[sequence]);
    }

    /// <summary>Σ log p of a sequence's last tokens.</summary>
    public double LogProbability(int sequence, int lastTokens)
    {
        double sum = 0;
        foreach (float value in _values[PlaceOf(sequence)][^lastTokens..])
        {
            sum -= value;
        }

        return sum;
    }

    /// <summary>Σ log p of every sequence.</summary>
    public double[] LogProbabilities()
    {
        double[] sums = new double[Count];
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i] = LogProbability(i, TokensOf(i));
        }

        return sums;
    }
}
