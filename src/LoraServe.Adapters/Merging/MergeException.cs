namespace LoraServe.Adapters.Merging;

/// <summary>Adapters cannot be combined, or merged into their base, as asked. The message says why and what to do instead.</summary>
/// <param name="message">What was asked for, what is expected.</param>
public sealed class MergeException(string message) : Exception(message);
