namespace LoraServe.Serving.Scheduling;

/// <summary>A sequence's part in a step.</summary>
/// <param name="Sequence">Whose.</param>
/// <param name="Chunk">How many of its next tokens, and what for.</param>
/// <param name="Segment">Its segment in the step's batch.</param>
internal readonly record struct StepEntry(Sequence Sequence, Chunk Chunk, int Segment);
