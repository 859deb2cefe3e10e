namespace LoraServe.Torch.Resident;

/// <summary>Keys and values that an adapter's virtual rows have in a layer.</summary>
/// <param name="Keys">[virtual rows, G·K].</param>
/// <param name="Values">[virtual rows, G·K].</param>
internal sealed record PrefixEdit(Tensor Keys, Tensor Values);
