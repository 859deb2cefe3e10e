namespace LoraServe.Adapters.Edits;

/// <summary>After which sublayer a bottleneck adds to the residual stream.</summary>
public enum BottleneckPlace
{
    /// <summary>The layer's attention, its output projection included.</summary>
    Attention,

    /// <summary>The layer's MLP.</summary>
    Mlp,
}
