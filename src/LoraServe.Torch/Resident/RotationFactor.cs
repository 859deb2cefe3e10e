namespace LoraServe.Torch.Resident;

/// <summary>A factor of a rotation of inputs or outputs; the meaning of its parts is that of <see cref="Adapters.Edits.BlockRotation"/>.</summary>
/// <param name="Changes">[inputs or outputs, size].</param>
/// <param name="Size">Inputs or outputs in a block.</param>
/// <param name="Order">The input or output at each place, int64; null: each at its own.</param>
/// <param name="Places">The place of each input or output; null: each at its own.</param>
internal sealed record RotationFactor(Tensor Changes, int Size, Tensor? Order, Tensor? Places);
