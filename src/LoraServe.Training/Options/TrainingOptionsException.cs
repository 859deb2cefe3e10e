namespace LoraServe.Training.Options;

/// <summary>Settings of a run that are wrong. The message names each, with what was found and what is expected.</summary>
/// <param name="message">What is wrong.</param>
public sealed class TrainingOptionsException(string message) : Exception(message);
