namespace LoraServe.Adapters.Methods.Glora;

/// <summary>What one of GLoRA's parts is made of.</summary>
internal enum GloraForm
{
    /// <summary>Nothing: the part is zero.</summary>
    None,

    /// <summary>One number for all elements.</summary>
    Constant,

    /// <summary>One number for each row.</summary>
    Vector,

    /// <summary>A product of two factors.</summary>
    LowRank,
}
