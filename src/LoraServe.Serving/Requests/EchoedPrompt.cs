namespace LoraServe.Serving.Requests;

/// <summary>A prompt that is given back in front of its answers.</summary>
/// <param name="Text">Its text.</param>
/// <param name="Tokens">Its tokens with their log-probabilities; none where these were not asked for.</param>
public sealed record EchoedPrompt(string Text, IReadOnlyList<ScoredToken> Tokens);
