namespace LoraServe.Adapters.Edits;

/// <summary>A place in the model that an adapter can edit.</summary>
/// <param name="Layer">Layer number from 0; −1 for <see cref="SiteRole.Head"/> and <see cref="SiteRole.Embedding"/>.</param>
/// <param name="Role">Which of the layer's linear maps.</param>
public readonly record struct Site(int Layer, SiteRole Role)
{
    /// <summary>The head.</summary>
    public static Site Head { get; } = new(-1, SiteRole.Head);

    /// <summary>The token table.</summary>
    public static Site Embedding { get; } = new(-1, SiteRole.Embedding);

    /// <inheritdoc />
    public override string ToString() => Layer < 0 ? $"{Role}" : $"layer {Layer} {Role}";
}
