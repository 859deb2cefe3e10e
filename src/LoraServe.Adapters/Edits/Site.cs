namespace LoraServe.Adapters.Edits;

/// <summary>A place in the model that an adapter can edit.</summary>
/// <param name="Layer">Layer number from 0; −1 for what is of no layer.</param>
/// <param name="Role">Which of the layer's linear maps.</param>
/// <param name="Expert">Which of the layer's experts, from 0; −1 for what is of no expert.</param>
public readonly record struct Site(int Layer, SiteRole Role, int Expert = -1)
{
    /// <summary>The head.</summary>
    public static Site Head { get; } = new(-1, SiteRole.Head);

    /// <summary>The token table.</summary>
    public static Site Embedding { get; } = new(-1, SiteRole.Embedding);

    /// <summary>The table of learned positions.</summary>
    public static Site Positions { get; } = new(-1, SiteRole.Positions);

    /// <summary>Whether it is a table of which rows are looked up, not a map that rows go through.</summary>
    public bool IsTable => Role is SiteRole.Embedding or SiteRole.Positions;

    /// <summary>Which place in the layer follows the sublayer that it is the last linear map of.</summary>
    public BottleneckPlace PlaceAfter => Role == SiteRole.Output ? BottleneckPlace.Attention : BottleneckPlace.Mlp;

    /// <inheritdoc />
    public override string ToString() => Layer < 0 ? $"{Role}" : Expert < 0 ? $"layer {Layer} {Role}" : $"layer {Layer} expert {Expert} {Role}";
}
