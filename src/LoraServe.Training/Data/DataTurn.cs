namespace LoraServe.Training.Data;

/// <summary>A prompt and the answer to it.</summary>
/// <param name="Prompt">What comes before the answer; empty for plain text.</param>
/// <param name="IsTemplated">Whether they came out of a chat template, whose special tokens are tokens and not text.</param>
/// <param name="Answer">What is learnt or scored.</param>
public sealed record DataTurn(string Prompt, bool IsTemplated, string Answer)
{
    /// <summary>Whether the answer holds its own end, as the chat template writes it; else the model's end token closes it.</summary>
    public bool IsClosed { get; init; }

    /// <summary>The part of a templated answer that is somebody's words: special tokens spelled there are text. Empty where none is known.</summary>
    public string Words { get; init; } = "";
}
