using LoraServe.Adapters.Edits;

namespace LoraServe.Cpu.Resident;

/// <summary>A factor of a rotation of inputs or outputs in compute form; the meaning of its parts is that of <see cref="BlockRotation"/>.</summary>
/// <param name="Changes">Float32 [inputs or outputs, size].</param>
/// <param name="Size">Inputs or outputs in a block.</param>
/// <param name="Order">The input or output at each place, int32; 0: each at its own.</param>
internal readonly record struct RotationFactor(nint Changes, int Size, nint Order);
