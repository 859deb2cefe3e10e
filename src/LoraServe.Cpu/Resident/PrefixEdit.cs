namespace LoraServe.Cpu.Resident;

/// <summary>What an adapter puts ahead of a layer's keys and values. Memory belongs to the <see cref="CpuAdapter"/>.</summary>
/// <param name="Keys">float32 [<see cref="CpuAdapter.VirtualRows"/>, width], not to be rotated.</param>
/// <param name="Values">float32 of the same shape.</param>
/// <param name="Width">Key/value heads · head size.</param>
internal sealed record PrefixEdit(nint Keys, nint Values, int Width);
