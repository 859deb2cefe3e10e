namespace LoraServe.Tokenization;

/// <summary>A text as tokens, with the place in the text that each token stands for.</summary>
/// <param name="Ids">One id for each token.</param>
/// <param name="Tokens">The tokens' texts in the vocabulary's own spelling (byte-level tokenizers spell a space "Ġ"); for an added token, what it covers in the text.</param>
/// <param name="Offsets">For each token the half-open range that it covers, in Unicode code points of the text; (0, 0) for a token that post-processing inserted.</param>
public sealed record TokenEncoding(IReadOnlyList<int> Ids, IReadOnlyList<string> Tokens, IReadOnlyList<(int Start, int End)> Offsets);
