namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>What a name stands for that requests can have as their model.</summary>
/// <param name="Id">The name.</param>
/// <param name="Created">When it was published, in seconds since 1970.</param>
/// <param name="OwnedBy">The tenant; <c>loraserve</c> for what the operator serves to all.</param>
/// <param name="Parent">The base model of an adapter; null for itself.</param>
/// <param name="Root">What answers in the end: an adapter with its version, as <c>name@3</c>.</param>
/// <param name="Version">The version; null for the base.</param>
/// <param name="Digest">SHA-256 of the adapter's files; null for the base.</param>
internal sealed record ModelCard(string Id, long Created, string OwnedBy, string? Parent, string Root, int? Version, string? Digest)
{
    public string Object { get; } = "model";
}

/// <summary>All of them that a caller may use.</summary>
internal sealed record ModelList(IReadOnlyList<ModelCard> Data)
{
    public string Object { get; } = "list";
}
