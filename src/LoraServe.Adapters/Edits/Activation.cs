namespace LoraServe.Adapters.Edits;

/// <summary>What a bottleneck does to its narrow side, element by element.</summary>
public enum Activation
{
    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>x where positive, else x/100.</summary>
    LeakyRelu,

    /// <summary>x / (1 + e⁻ˣ), which AdapterHub calls swish.</summary>
    Silu,

    /// <summary>x·Φ(x) with the normal distribution itself.</summary>
    Gelu,

    /// <summary>Its approximation ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))).</summary>
    TanhGelu,

    /// <summary>tanh x.</summary>
    Tanh,

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    Sigmoid,
}
