namespace LoraServe.Training.Ranks;

/// <summary>Ranks cannot be chosen, or a difference extracted, as asked. The message says why and what is expected.</summary>
/// <param name="message">What was asked for, what is expected.</param>
public sealed class RankChoiceException(string message) : Exception(message);
