namespace LoraServe.Compute.Tensors;

/// <summary>Turns a row's values into stored elements, as near as the format comes.</summary>
/// <param name="values">Finite values; whole blocks.</param>
/// <param name="importance">How much an error of each value counts, positive; empty where all count alike.</param>
/// <param name="destination">Gets the stored bytes.</param>
internal delegate void ElementEncoder(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> destination);
