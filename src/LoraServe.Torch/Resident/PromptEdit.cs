using LoraServe.Adapters.Edits;

namespace LoraServe.Torch.Resident;

/// <summary>What a layer's queries attend to apart from the sequence.</summary>
/// <param name="Place">Where the result is added.</param>
/// <param name="Keys">[rows, G·K].</param>
/// <param name="Values">[rows, G·K].</param>
internal sealed record PromptEdit(PromptPlace Place, Tensor Keys, Tensor Values);
