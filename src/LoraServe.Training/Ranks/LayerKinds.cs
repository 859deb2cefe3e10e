using LoraServe.Adapters.Edits;

namespace LoraServe.Training.Ranks;

/// <summary>Which role belongs to which kind.</summary>
internal static class LayerKinds
{
    /// <summary>The kind that a map of this role is.</summary>
    public static LayerKind Kind(this SiteRole role) => role switch
    {
        SiteRole.Query or SiteRole.Key or SiteRole.Value or SiteRole.QueryKeyValue or SiteRole.Output => LayerKind.Attention,
        SiteRole.Gate or SiteRole.Up or SiteRole.GateUp or SiteRole.Down or SiteRole.ExpertGate or SiteRole.ExpertUp or SiteRole.ExpertDown => LayerKind.Mlp,
        _ => LayerKind.Other,
    };

    /// <summary>The kind as it stands in a sentence.</summary>
    public static string Text(this LayerKind kind) => kind switch
    {
        LayerKind.Attention => "attention",
        LayerKind.Mlp => "MLP",
        _ => "others",
    };
}
