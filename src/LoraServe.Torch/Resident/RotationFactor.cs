namespace LoraServe.Torch.Resident;

/// <summary>A factor of a rotation of inputs; the meaning of its parts is that of <see cref="Adapters.Edits.BlockRotation"/>.</summary>
/// <param name="Changes">[inputs, size].</param>
/// <param name="Size">Inputs in a block.</param>
/// <param name="Order">The input at each place, int64; null: each at its own.</param>
/// <param name="Places">The place of each input; null: each at its own.</param>
internal sealed record RotationFactor(Tensor Changes, int Size, Tensor? Order, Tensor? Places);
