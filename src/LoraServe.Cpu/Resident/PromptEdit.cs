using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;

namespace LoraServe.Cpu.Resident;

/// <summary>What a layer's queries attend to apart from the sequence. Memory belongs to the <see cref="CpuAdapter"/>.</summary>
/// <param name="Place">Where the result is added.</param>
/// <param name="Keys">float32 [rows, key/value heads · head size].</param>
/// <param name="Values">float32 of the same shape.</param>
internal sealed record PromptEdit(PromptPlace Place, Rows Keys, Rows Values);
