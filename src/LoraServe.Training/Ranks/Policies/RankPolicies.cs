namespace LoraServe.Training.Ranks.Policies;

/// <summary>The policies that users can name.</summary>
public static class RankPolicies
{
    /// <summary>The one that a rank of <c>auto</c> means.</summary>
    public const string Usual = "complexity";

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All().Select(policy => policy.Name)];

    /// <summary>Every policy.</summary>
    /// <param name="energy">Share of Σσ that the energy policies keep; above 0, at most 1.</param>
    /// <param name="complexity">The task's complexity, 0 to 1; null to estimate it.</param>
    /// <param name="attention">Rank of attention's maps for the policy by layers; null: by width.</param>
    /// <param name="mlp">Rank of the MLP's maps; null: half of it.</param>
    /// <param name="other">Rank of other maps; null: a quarter of it.</param>
    public static IReadOnlyList<IRankPolicy> All(double energy = 0.9, double? complexity = null, int? attention = null, int? mlp = null, int? other = null) =>
    [
        new WidthPolicy(),
        new WidthAndComplexityPolicy(complexity),
        new ParameterCountPolicy(),
        new TaskKindPolicy(),
        new LayerKindPolicy(attention, mlp, other),
        new EnergyPolicy(energy),
        new EnergyPolicy(energy, EnergyMeasure.SumOfSquares),
        new LayerKindEnergyPolicy(energy),
    ];

    /// <summary>A policy by its name, as it is without settings.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static IRankPolicy Find(string name) => All().FirstOrDefault(policy => policy.Name == name)
        ?? throw new ArgumentException($"There is no rank policy '{name}'; expected {string.Join(", ", Names)}.", nameof(name));
}
