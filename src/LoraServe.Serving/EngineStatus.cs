namespace LoraServe.Serving;

/// <summary>How busy the engine is, at one moment.</summary>
/// <param name="QueuedRequests">Requests that wait for room or for an adapter.</param>
/// <param name="RunningSequences">Sequences that take part in steps.</param>
/// <param name="UsedPages">Key/value pages that sequences hold.</param>
/// <param name="CachedPages">Pages kept for their prefix only; free when needed.</param>
/// <param name="TotalPages">All pages.</param>
/// <param name="KvBytes">Memory of all pages.</param>
/// <param name="Stopping">Whether it takes nothing new.</param>
/// <param name="StepTime">How long the step that runs now has taken; zero between steps.</param>
public sealed record EngineStatus(int QueuedRequests, int RunningSequences, int UsedPages, int CachedPages, int TotalPages, long KvBytes, bool Stopping, TimeSpan StepTime);
