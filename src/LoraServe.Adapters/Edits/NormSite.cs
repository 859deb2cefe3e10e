namespace LoraServe.Adapters.Edits;

/// <summary>A norm that an adapter can edit.</summary>
/// <param name="Layer">Layer number from 0; −1 for <see cref="NormRole.Final"/>.</param>
/// <param name="Role">Which of the layer's norms.</param>
public readonly record struct NormSite(int Layer, NormRole Role)
{
    /// <summary>The norm before the head.</summary>
    public static NormSite Final { get; } = new(-1, NormRole.Final);

    /// <inheritdoc />
    public override string ToString() => Layer < 0 ? $"{Role} norm" : $"layer {Layer} {Role} norm";
}
