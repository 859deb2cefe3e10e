using LoraServe.Compute.Files;
using LoraServe.Models.Config;
using LoraServe.Tokenization.Files;

namespace LoraServe.Models.Loading;

/// <summary>Reads what a GGUF file's metadata says about its tokenizer.</summary>
internal static class GgufVocabulary
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>The keys below <c>tokenizer.ggml</c>, or null where the file has no tokenizer.</summary>
    public static GgufTokenizerData? Read(GgufFile file)
    {
        GgufMetadata metadata = file.Metadata;
        if (metadata.FindString(Prefix + "model") is not { } model || metadata.FindStrings(Prefix + "tokens") is not { } tokens)
        {
            return null;
        }

        return new GgufTokenizerData
        {
            Source = file.Path,
            Model = model,
            Tokens = tokens,
            PreTokenizer = metadata.FindString(Prefix + "pre"),
            Merges = metadata.FindStrings(Prefix + "merges"),
            Scores = metadata.FindNumbers(Prefix + "scores") is { } scores ? Array.ConvertAll(scores, score => (float)score) : null,
            TokenTypes = metadata.FindIntegers(Prefix + "token_type") is { } types ? Array.ConvertAll(types, type => (int)Math.Clamp(type, -1, 7)) : null,
            BosTokenId = Id("bos_token_id"),
            EosTokenId = Id("eos_token_id"),
            UnknownTokenId = Id("unknown_token_id"),
            PaddingTokenId = Id("padding_token_id"),
            AddBosToken = metadata.FindBool(Prefix + "add_bos_token"),
            AddEosToken = metadata.FindBool(Prefix + "add_eos_token"),
            AddSpacePrefix = metadata.FindBool(Prefix + "add_space_prefix"),
        };

        int? Id(string name) => metadata.FindInteger(Prefix + name) is { } id
            ? id >= 0 && id < tokens.Length ? (int)id : throw new ModelFormatException(file.Path, $"metadata '{Prefix}{name}' is {id}; expected a token from 0 to {tokens.Length - 1}")
            : null;
    }
}
