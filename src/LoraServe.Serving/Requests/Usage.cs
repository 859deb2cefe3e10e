namespace LoraServe.Serving.Requests;

/// <summary>What a request cost.</summary>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="CompletionTokens">Tokens generated, over all choices.</param>
/// <param name="CachedPromptTokens">Tokens of the prompt whose keys and values were in the prefix cache.</param>
public readonly record struct Usage(int PromptTokens, int CompletionTokens, int CachedPromptTokens);
