namespace LoraServe.Studio.Studies;

/// <summary>Time of a generated token, one request at a time, with an adapter and without, measured in turns.</summary>
/// <param name="BaseMilliseconds">A token of the base: median over repetitions.</param>
/// <param name="AddedMilliseconds">What the adapter adds: median of the differences between neighbouring repetitions; noise can make it negative.</param>
/// <param name="Ratio">With over without: median over the same pairs.</param>
public sealed record ServingLatency(double BaseMilliseconds, double AddedMilliseconds, double Ratio)
{
    /// <summary>Of times that were taken in turns.</summary>
    public static ServingLatency Of(IReadOnlyList<double> without, IReadOnlyList<double> with) => new(
        Median(without), Median([.. with.Zip(without, (mine, reference) => mine - reference)]), Median([.. with.Zip(without, (mine, reference) => mine / reference)]));

    /// <summary>The middle value, or the mean of the two in the middle.</summary>
    public static double Median(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
