using System.Text.Json.Nodes;

namespace LoraServe.Training.Checkpoints;

/// <summary>Everything that a run needs to go on as if it had never stopped.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="State">Places in the data, best scores and the like. Numbers keep every bit; JSON has none that are not finite.</param>
/// <param name="Arrays">Parameters and what the optimizer remembers, by name.</param>
internal sealed record Checkpoint(int Step, JsonObject State, IReadOnlyDictionary<string, float[]> Arrays);
