namespace LoraServe.Training.Data;

/// <summary>A prompt and the answer to it.</summary>
/// <param name="Prompt">What comes before the answer; empty for plain text.</param>
/// <param name="IsTemplated">Whether the prompt came out of a chat template, whose special tokens are tokens and not text.</param>
/// <param name="Answer">What is learnt or scored.</param>
public sealed record DataTurn(string Prompt, bool IsTemplated, string Answer);
