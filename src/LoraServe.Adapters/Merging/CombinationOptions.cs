namespace LoraServe.Adapters.Merging;

/// <summary>How adapters are combined.</summary>
public sealed record CombinationOptions
{
    /// <summary>PEFT's word for electing signs by the sum of the values.</summary>
    public const string TotalSign = "total";

    /// <summary>PEFT's word for electing signs by how many values have each.</summary>
    public const string FrequencySign = "frequency";

    private static readonly OrderedDictionary<string, CombinationMethod> s_methods = new()
    {
        ["linear"] = CombinationMethod.Linear,
        ["cat"] = CombinationMethod.Concatenation,
        ["svd"] = CombinationMethod.Svd,
        ["ties"] = CombinationMethod.Ties,
        ["ties_svd"] = CombinationMethod.TiesSvd,
        ["dare_linear"] = CombinationMethod.DareLinear,
        ["dare_linear_svd"] = CombinationMethod.DareLinearSvd,
        ["dare_ties"] = CombinationMethod.DareTies,
        ["dare_ties_svd"] = CombinationMethod.DareTiesSvd,
        ["magnitude_prune"] = CombinationMethod.MagnitudePrune,
        ["magnitude_prune_svd"] = CombinationMethod.MagnitudePruneSvd,
    };

    /// <summary>The method. Default: weighted sums of the factors.</summary>
    public CombinationMethod Method { get; init; } = CombinationMethod.Linear;

    /// <summary>Part of the values that pruning keeps, above 0 and at most 1. Default 1.</summary>
    public double Density { get; init; } = 1;

    /// <summary>Rank of the result of a method that decomposes; null: the greatest of the adapters' ranks.</summary>
    public int? Rank { get; init; }

    /// <summary>Whether TIES elects signs by counting them instead of adding the values. Default false.</summary>
    public bool ElectByFrequency { get; init; }

    /// <summary>Seed of DARE's dropping. Default 0.</summary>
    public int Seed { get; init; }

    /// <summary>Greatest rank that the result may have. Default: any.</summary>
    public int MaximumRank { get; init; } = int.MaxValue;

    /// <summary>Most bytes of memory that combining may take, besides the adapters themselves. Default: as many as there are.</summary>
    public long MaximumBytes { get; init; } = long.MaxValue;

    /// <summary>PEFT's names of the methods.</summary>
    public static IReadOnlyCollection<string> MethodNames => s_methods.Keys;

    /// <summary>PEFT's name of a method.</summary>
    public static string NameOf(CombinationMethod method) => s_methods.First(named => named.Value == method).Key;

    /// <summary>The method of PEFT's name for it, such as <c>dare_ties_svd</c>; null for a name that is not known.</summary>
    public static CombinationMethod? FindMethod(string peftName) => s_methods.TryGetValue(peftName, out CombinationMethod method) ? method : null;
}
