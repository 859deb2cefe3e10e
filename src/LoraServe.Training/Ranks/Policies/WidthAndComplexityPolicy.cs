using System.Globalization;

namespace LoraServe.Training.Ranks.Policies;

/// <summary>By width and the task's complexity c from 0 to 1: min(64, width / 8) · (1 + c), rounded to a whole number.</summary>
/// <remarks>
/// A rule of thumb of fine-tuning guides; <c>--rank auto</c> is this. Where no complexity is given it is
/// <see cref="DataSetFacts.Complexity"/> of the data set.
/// </remarks>
/// <param name="complexity">0 to 1; null to estimate it.</param>
public sealed class WidthAndComplexityPolicy(double? complexity = null) : IRankPolicy
{
    private const int MostByWidth = 64;
    private const int WidthPerRank = 8;

    /// <inheritdoc />
    public string Name => "complexity";

    /// <inheritdoc />
    public string? Missing(RankQuestion question) => complexity is null && question.Data is null ? "a data set, or the task's complexity" : null;

    /// <summary>The rank for a width and a complexity.</summary>
    /// <param name="width">Of the model.</param>
    /// <param name="complexity">0 to 1.</param>
    public static int RankFor(int width, double complexity)
    {
        if (!(complexity >= 0 && complexity <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(complexity), complexity, "A complexity is from 0 to 1.");
        }

        double byWidth = Math.Min(MostByWidth, (double)width / WidthPerRank);
        return Math.Max(1, (int)Math.Round(byWidth * (1 + complexity), MidpointRounding.AwayFromZero));
    }

    /// <inheritdoc />
    public RankPlan Choose(RankQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        double value = complexity ?? question.Data?.Complexity(question.Model.VocabularySize)
            ?? throw new ArgumentException($"Missing is {Missing(question)}.", nameof(question));
        int rank = RankFor(question.Model.Width, value);
        string from = complexity is not null ? "given"
            : string.Create(CultureInfo.InvariantCulture, $"estimated from {question.Data!.DistinctCompletions:N0} different answers in {question.Data.Rows:N0} rows, {question.Data.MeanCompletionTokens:0.#} tokens each");
        return RankPlan.Uniform(Name, question, rank, string.Create(CultureInfo.InvariantCulture, $"min(64, {question.Model.Width} / 8) x (1 + {value:0.00}); complexity {value:0.00} is {from}"));
    }
}
