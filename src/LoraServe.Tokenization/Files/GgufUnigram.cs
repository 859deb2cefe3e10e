using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Decoders;
using LoraServe.Tokenization.Models;
using LoraServe.Tokenization.Normalizers;

namespace LoraServe.Tokenization.Files;

/// <summary>GGUF's model "t5": a unigram model, whose texts are normalized as SentencePiece does.</summary>
internal static class GgufUnigram
{
    public static TokenizerParts Read(GgufTokenizerData data)
    {
        IReadOnlyList<float> logarithms = GgufTokens.Needed(data, "scores", data.Scores);

        // T5's own numbers stand in for those that the file does not give.
        data = data with
        {
            PaddingTokenId = GgufTokens.OrDefault(data, data.PaddingTokenId, 0),
            EosTokenId = GgufTokens.OrDefault(data, data.EosTokenId, 1),
            UnknownTokenId = GgufTokens.OrDefault(data, data.UnknownTokenId, 2),
        };
        bool addsSpace = data.AddSpacePrefix ?? false;
        Vocabulary vocabulary = GgufTokens.Vocabulary(data);
        double[] scores = UnigramScores(data, logarithms, out double least);
        return new TokenizerParts
        {
            Vocabulary = vocabulary,
            Model = new UnigramModel(new UnigramConfig
            {
                Vocabulary = vocabulary,
                Scores = scores,
                UnknownScore = least - UnigramConfig.UnknownPenalty,
                UnknownId = data.UnknownTokenId ?? Vocabulary.None,
            }),
            Added = new AddedVocabulary(GgufTokens.AddedTokens(data), new SentencePieceNormalizer(ReadMap(data), addsSpace, data.RemoveExtraWhitespaces ?? false)),
            PostProcessor = GgufTokens.Frame(data, addsBos: false, addsEos: true),
            Decoder = [new CharacterDecoder('▁', ' ', dropsInFirst: addsSpace)],
            SpecialIds = GgufTokens.SpecialIds(data),
        };
    }

    /// <summary>The score of each token that is found in a text: what was added counts nothing, so that it is preferred, and the least is that of normal ones.</summary>
    private static double[] UnigramScores(GgufTokenizerData data, IReadOnlyList<float> logarithms, out double least)
    {
        double[] scores = new double[data.Tokens.Count];
        least = 0;
        for (int id = 0; id < scores.Length; id++)
        {
            int type = GgufTokens.TypeOf(data, id);
            double score = logarithms[id];
            if (!double.IsFinite(score))
            {
                throw new TokenizerFormatException($"tokenizer.ggml.scores[{id}] is {score}; expected a number");
            }

            GgufTokens.CheckLength(data, id);
            least = type == GgufTokens.Normal ? Math.Min(least, score) : least;
            scores[id] = type switch
            {
                GgufTokens.Normal or GgufTokens.Unused => score,
                GgufTokens.UserDefined => 0,
                _ => double.NaN,
            };
        }

        return scores;
    }

    private static CharacterMap? ReadMap(GgufTokenizerData data)
    {
        try
        {
            return data.PrecompiledCharacterMap is { } map ? CharacterMap.Parse(map.Span) : null;
        }
        catch (FormatException exception)
        {
            throw new TokenizerFormatException($"tokenizer.ggml.precompiled_charsmap: {exception.Message}", exception);
        }
    }
}
