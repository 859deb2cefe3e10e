namespace LoraServe.Torch.Resident;

/// <summary>What an adapter does at a norm: gains += weight · values, or gains = values.</summary>
/// <param name="Values">float32 [D].</param>
/// <param name="Replaces">Whether the values take the gains' place.</param>
internal sealed record NormEdit(Tensor Values, bool Replaces);
