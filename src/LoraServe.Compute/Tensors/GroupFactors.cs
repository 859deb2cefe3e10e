namespace LoraServe.Compute.Tensors;

/// <summary>Whole numbers that a block's scale and minimum are multiplied by for some of its values; each product is one float32 operation.</summary>
/// <param name="Scale">The scale's.</param>
/// <param name="Minimum">The minimum's.</param>
internal readonly record struct GroupFactors(sbyte Scale, sbyte Minimum = 0)
{
    /// <summary>Of blocks that have none.</summary>
    public static GroupFactors One => new(1, 1);
}
