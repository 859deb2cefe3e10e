namespace LoraServe.Compute.Tensors;

/// <summary>Turns stored elements into as many float32 values as <paramref name="destination"/> holds, exactly as the format defines them.</summary>
internal delegate void ElementDecoder(ReadOnlySpan<byte> source, Span<float> destination);
