namespace LoraServe.Adapters.Methods.Description;

/// <summary>What methods have in common that are listed together.</summary>
public enum MethodKind
{
    /// <summary>Low-rank updates of linear maps.</summary>
    LowRank,

    /// <summary>Updates that other products, or few numbers, make.</summary>
    OtherUpdate,

    /// <summary>Rotations and reflections of inputs.</summary>
    Rotation,

    /// <summary>Factors, biases and norms.</summary>
    Vector,

    /// <summary>Bottlenecks after or beside sublayers.</summary>
    Bottleneck,

    /// <summary>Rows ahead of the prompt, or beside it.</summary>
    VirtualRows,

    /// <summary>The whole model.</summary>
    Whole,
}
