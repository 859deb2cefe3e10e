using System.Text.Json.Nodes;

namespace LoraServe.Jobs.Records;

/// <summary>What a job trains; see <see cref="Training.Options.TrainingJobOptions"/> for what each setting means.</summary>
public sealed record MethodRequest
{
    /// <summary>The method's name; empty for the usual one.</summary>
    public string Method { get; init; } = "";

    /// <summary>Rank of low-rank updates.</summary>
    public int? Rank { get; init; }

    /// <summary>Short for the usual <see cref="RankPolicy"/>.</summary>
    public bool AutoRank { get; init; }

    /// <summary>Numerator of the update's scale.</summary>
    public double? Alpha { get; init; }

    /// <summary>Modules to adapt; none for the method's usual ones.</summary>
    public IReadOnlyList<string> TargetModules { get; init; } = [];

    /// <summary>Factor of B's learning rate.</summary>
    public double? LoraPlusRatio { get; init; }

    /// <summary>Virtual tokens.</summary>
    public int? VirtualTokens { get; init; }

    /// <summary>Text that prompt tuning begins with; empty for none.</summary>
    public string PromptText { get; init; } = "";

    /// <summary>Further keys of the adapter's configuration as PEFT spells them.</summary>
    public JsonObject? PeftConfig { get; init; }

    /// <summary>The adapter to go on from; empty for none.</summary>
    public string InitFrom { get; init; } = "";

    /// <summary>Whether rows are put through the base's chat template although that adapter brings its own.</summary>
    public bool KeepBaseTemplate { get; init; }

    /// <summary>Who chooses the rank; empty for nobody.</summary>
    public string RankPolicy { get; init; } = "";

    /// <summary>How the rank grows; null: it does not.</summary>
    public RankGrowthSettings? DynamicRank { get; init; }

    /// <summary>How gates are learned and pruned.</summary>
    public RankGateSettings? RankGates { get; init; }
}
