using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Decoders;
using LoraServe.Tokenization.Models;
using LoraServe.Tokenization.PostProcessors;
using LoraServe.Tokenization.PreTokenizers;

namespace LoraServe.Tokenization.Files;

/// <summary>What a tokenizer is put together from.</summary>
internal sealed record TokenizerParts
{
    public required Vocabulary Vocabulary { get; init; }

    public required TokenModel Model { get; init; }

    /// <summary>Added tokens, with the normalizer that the text between them goes through.</summary>
    public required AddedVocabulary Added { get; init; }

    public PreTokenizer? PreTokenizer { get; init; }

    public PostProcessor? PostProcessor { get; init; }

    public required IReadOnlyList<DecoderStep> Decoder { get; init; }

    public SpecialTokenIds SpecialIds { get; init; } = new();

    /// <summary>The id of a token in the vocabulary's own spelling, or null.</summary>
    public int? Find(string token)
    {
        if (Added.Find(token) is { } added)
        {
            return added.Id;
        }

        int id = Vocabulary.IdOrNone(token);
        return id == Vocabulary.None ? null : id;
    }
}
