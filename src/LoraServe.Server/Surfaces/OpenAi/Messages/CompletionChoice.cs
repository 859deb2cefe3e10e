namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>One of the answers to one of the prompts, or what came of it now.</summary>
internal sealed record CompletionChoice(int Index, string Text, CompletionLogprobs? Logprobs, string? FinishReason);
