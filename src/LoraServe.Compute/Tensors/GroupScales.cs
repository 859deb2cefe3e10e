namespace LoraServe.Compute.Tensors;

/// <summary>What a group's codes are multiplied by and what is added: the block's numbers, and the whole numbers of the group that these are multiplied by.</summary>
/// <param name="Scale">The block's scale.</param>
/// <param name="Minimum">The block's minimum; 0 where the form has none.</param>
/// <param name="Lower">The factors of the first half of the group.</param>
/// <param name="Upper">Those of the second half.</param>
internal readonly record struct GroupScales(float Scale, float Minimum, GroupFactors Lower, GroupFactors Upper)
{
    /// <summary>A block that is one group.</summary>
    public GroupScales(float scale, float minimum = 0)
        : this(scale, minimum, GroupFactors.One, GroupFactors.One)
    {
    }
}
