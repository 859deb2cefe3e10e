using LoraServe.Models.Spec;

namespace LoraServe.Models.Config;

/// <summary>What the numbers of a configuration may be before they are compared with the tensors: far above real models, far below overflow.</summary>
internal static class SpecLimits
{
    public const int Layers = 4096;
    public const int Heads = 4096;
    public const int Experts = 4096;
    public const int ExpertsOfAllLayers = 1 << 18;
    public const int HeadSize = 1 << 13;
    public const int Width = 1 << 20;
    public const int Vocabulary = 1 << 24;

    /// <summary>The context that a rope reaches: what the file says, or more where its scaling stretches that.</summary>
    public static int Context(long positions, RopeSpec rope)
    {
        double reach = rope.Scaling switch
        {
            RopeScaling.Linear or RopeScaling.Dynamic => positions * rope.Factor,
            RopeScaling.Yarn => Math.Max(positions, rope.OriginalContext * rope.Factor),
            _ => positions,
        };
        return (int)Math.Min(reach, int.MaxValue);
    }

    /// <summary>The part of a context that fits an int.</summary>
    public static int Clamp(long positions) => (int)Math.Min(positions, int.MaxValue);
}
