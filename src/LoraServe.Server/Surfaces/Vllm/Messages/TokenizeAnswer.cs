namespace LoraServe.Server.Surfaces.Vllm.Messages;

/// <summary>The tokens of a text.</summary>
/// <param name="Count">How many.</param>
/// <param name="MaxModelLen">How many the model has places for.</param>
/// <param name="Tokens">Their ids.</param>
/// <param name="TokenStrs">As the vocabulary spells them; null where not asked for.</param>
internal sealed record TokenizeAnswer(int Count, int MaxModelLen, IReadOnlyList<int> Tokens, IReadOnlyList<string>? TokenStrs);
