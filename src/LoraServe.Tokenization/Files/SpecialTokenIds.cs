namespace LoraServe.Tokenization.Files;

/// <summary>The ids of the tokens with a part to play, where the tokenizer's files name them.</summary>
/// <param name="Bos">The token that starts a text.</param>
/// <param name="Eos">The token that ends a text.</param>
/// <param name="Unknown">The token for what the vocabulary lacks.</param>
/// <param name="Padding">The token that fills up a batch.</param>
public sealed record SpecialTokenIds(int? Bos = null, int? Eos = null, int? Unknown = null, int? Padding = null);
