namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>What an answer cost.</summary>
internal sealed record AnswerUsage(int PromptTokens, int CompletionTokens, int TotalTokens, PromptTokensDetails PromptTokensDetails);

/// <summary>What of the prompt was there already.</summary>
internal sealed record PromptTokensDetails(int CachedTokens);
