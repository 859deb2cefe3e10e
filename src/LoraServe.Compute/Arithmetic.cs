namespace LoraServe.Compute;

/// <summary>How products with quantised weights are computed.</summary>
public enum Arithmetic
{
    /// <summary>Activations are rounded to integers per block of 32 and multiplied as integers.</summary>
    Fast,

    /// <summary>Weights are widened to float32; activations and sums are float32. What goldens are checked with.</summary>
    Exact,
}
