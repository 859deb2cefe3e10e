using System.Globalization;
using LoraServe.Adapters;

namespace LoraServe.Training.Ranks.Policies;

/// <summary>By the base's parameters: below 10 million 4, below 100 million 8, to a billion 16, to ten billion 32, above that 64.</summary>
/// <remarks>
/// A rule of thumb of fine-tuning guides (below 100 million 4 to 8, to a billion 16, above 32 or 64); the boundaries inside
/// their ranges are ours.
/// </remarks>
public sealed class ParameterCountPolicy : IRankPolicy
{
    /// <inheritdoc />
    public string Name => "parameters";

    /// <summary>The rank for a number of parameters.</summary>
    public static int RankFor(long parameters) => parameters switch
    {
        < 10_000_000 => 4,
        < 100_000_000 => 8,
        <= 1_000_000_000 => 16,
        <= 10_000_000_000 => 32,
        _ => 64,
    };

    /// <inheritdoc />
    public RankPlan Choose(RankQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        int rank = RankFor(question.Model.ParameterCount());
        string bounds = rank switch
        {
            4 => "below 10 M",
            8 => "below 100 M",
            16 => "to 1,000 M",
            32 => "to 10,000 M",
            _ => "above 10,000 M",
        };
        return RankPlan.Uniform(Name, question, rank, string.Create(CultureInfo.InvariantCulture, $"the base has {question.Model.ParameterCount() / 1e6:N1} M parameters; {bounds} it is {rank}"));
    }
}
