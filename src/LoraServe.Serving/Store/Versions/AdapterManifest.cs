using LoraServe.Models.Forward;

namespace LoraServe.Serving.Store.Versions;

/// <summary>What is known of an adapter version without reading it again; kept in the store's file.</summary>
/// <remarks>Of what lists of older servers do not say, generated readers make nothing, whatever an initializer says: such properties bring their own defaults.</remarks>
internal sealed record AdapterManifest
{
    public required string Name { get; init; }

    public required int Version { get; init; }

    /// <summary>SHA-256 of its files: what they are, and all that they are found by.</summary>
    public required string Digest { get; init; }

    /// <summary>What callers know its files as. Where those lie, the store of files knows.</summary>
    public string ShownPath { get; init => field = value ?? ""; } = "";

    public required string Owner { get; init; }

    public required AdapterSource Source { get; init; }

    public required string Method { get; init; }

    public required int MinimumRank { get; init; }

    public required int MaximumRank { get; init; }

    public required long FileBytes { get; init; }

    public required long HostBytes { get; init; }

    public required long ResidentBytes { get; init; }

    /// <summary>What its compute form shares with other adapters', not counted in <see cref="ResidentBytes"/>.</summary>
    public SharedPart[] SharedParts { get; init => field = value ?? []; } = [];

    public required int[] InvocationTokens { get; init; }

    /// <summary>For how many tasks it was trained.</summary>
    public int Tasks { get; init => field = value == 0 ? 1 : value; } = 1;

    /// <summary>Rows that it puts ahead of a prompt.</summary>
    public int VirtualRows { get; init; }

    /// <summary>What its pairs are scaled by in a pass before the one that answers, which finds how they are scaled in that (X-LoRA); 0: that pass is the base's. Null: there is none.</summary>
    public float? ScalingPass { get; init; }

    /// <summary>Tokens that end an answer besides the model's, because its chat template closes turns with them.</summary>
    public int[] EndTokens { get; init => field = value ?? []; } = [];

    public required DateTimeOffset PublishedAt { get; init; }
}
