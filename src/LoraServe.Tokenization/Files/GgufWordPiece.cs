using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Decoders;
using LoraServe.Tokenization.Models;
using LoraServe.Tokenization.PostProcessors;

namespace LoraServe.Tokenization.Files;

/// <summary>GGUF's model "bert": word pieces.</summary>
internal static class GgufWordPiece
{
    public static TokenizerParts Read(GgufTokenizerData data)
    {
        // BERT's own numbers stand in for those that the file does not give.
        data = data with
        {
            Tokens = BertSpelling(data),
            PaddingTokenId = GgufTokens.OrDefault(data, data.PaddingTokenId, 0),
            UnknownTokenId = GgufTokens.OrDefault(data, data.UnknownTokenId, 100),
            BosTokenId = GgufTokens.OrDefault(data, data.BosTokenId, 101),
            SeparatorTokenId = GgufTokens.OrDefault(data, data.SeparatorTokenId, 102),
        };
        Vocabulary vocabulary = GgufTokens.Vocabulary(data);
        bool makesLower = data.Lowercase ?? true;
        AddedVocabulary added = new(GgufTokens.AddedTokens(data), NormalizerReader.Bert(cleans: true, separatesIdeographs: true, data.StripAccents ?? makesLower, makesLower));
        return new TokenizerParts
        {
            Vocabulary = vocabulary,
            Model = new WordPieceModel(new WordPieceConfig
            {
                Vocabulary = vocabulary,
                IsFound = id => added[id] is not { IsSpecial: true },
                UnknownId = data.UnknownTokenId ?? throw new TokenizerFormatException("tokenizer.ggml.unknown_token_id is missing; model 'bert' needs it"),
            }),
            Added = added,
            PreTokenizer = PreTokenizerReader.Bert(),
            PostProcessor = new FramePostProcessor(
                GgufTokens.Tokens(data, data.AddBosToken ?? true, data.BosTokenId), GgufTokens.Tokens(data, data.AddSeparatorToken ?? true, data.SeparatorTokenId)),
            Decoder = [new WordPieceDecoder(WordPieceConfig.UsualPrefix, cleansUp: true)],
            SpecialIds = GgufTokens.SpecialIds(data),
        };
    }

    /// <summary>The tokens as BERT spells them, where a mark says that a word goes on; here one says that a word begins.</summary>
    private static string[] BertSpelling(GgufTokenizerData data)
    {
        string[] tokens = [.. data.Tokens];
        for (int id = 0; id < tokens.Length; id++)
        {
            GgufTokens.CheckLength(data, id);
            bool isControl = data.TokenTypes is { } types ? types[id] is GgufTokens.Unknown or GgufTokens.Control : tokens[id] is ['[', .., ']'];
            if (!isControl)
            {
                tokens[id] = tokens[id] is ['▁', .. string start] ? start : WordPieceConfig.UsualPrefix + tokens[id];
            }
        }

        return tokens;
    }
}
