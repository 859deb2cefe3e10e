using LoraServe.Compute.Files;
using LoraServe.Tokenization.Files;

namespace LoraServe.Models.Text;

/// <summary>Reads what a GGUF file's metadata says about its tokenizer.</summary>
internal static class GgufVocabulary
{
    /// <summary>Where a file has the whole tokenizer.json.</summary>
    public const string HuggingFaceKey = "tokenizer.huggingface.json";

    /// <summary>Where a file has the token that texts start with.</summary>
    public const string BeginTokenKey = Prefix + "bos_token_id";

    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Where a file has the tokens that end an answer, the most usual first.</summary>
    public static IReadOnlyList<string> EndTokenKeys { get; } = [Prefix + "eos_token_id", Prefix + "eot_token_id", Prefix + "eom_token_id"];

    /// <summary>The keys below <c>tokenizer.ggml</c>, or null where the file has no tokenizer.</summary>
    /// <param name="file">The file.</param>
    /// <param name="warnings">Gets what is wrong and left out.</param>
    public static GgufTokenizerData? Read(GgufFile file, List<string> warnings)
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
            BosTokenId = Id("bos_token_id") ?? (model == "bert" ? Id("cls_token_id") : null),
            EosTokenId = Id("eos_token_id"),
            UnknownTokenId = Id("unknown_token_id"),
            PaddingTokenId = Id("padding_token_id"),
            SeparatorTokenId = Id("seperator_token_id") ?? Id("separator_token_id"),
            AddBosToken = metadata.FindBool(Prefix + "add_bos_token"),
            AddEosToken = metadata.FindBool(Prefix + "add_eos_token"),
            AddSeparatorToken = metadata.FindBool(Prefix + "add_sep_token"),
            AddSpacePrefix = metadata.FindBool(Prefix + "add_space_prefix"),
            RemoveExtraWhitespaces = metadata.FindBool(Prefix + "remove_extra_whitespaces"),

            // A null array would be an empty map.
            PrecompiledCharacterMap = metadata.FindIntegers(Prefix + "precompiled_charsmap") is { } map ? Array.ConvertAll(map, value => unchecked((byte)value)) : default(ReadOnlyMemory<byte>?),
            Lowercase = metadata.FindBool(Prefix + "normalizer.lowercase"),
            StripAccents = metadata.FindBool(Prefix + "normalizer.strip_accents"),
        };

        int? Id(string name) => metadata.FindInteger(Prefix + name) is { } id ? IdBelow(file, Prefix + name, id, tokens.Length, warnings) : null;
    }

    /// <summary>A token's id; null, with a warning, where there is no such token: files that were copied from other models' have such, or −1 for none.</summary>
    public static int? IdBelow(GgufFile file, string key, long id, int count, List<string> warnings)
    {
        if (id >= 0 && id < count)
        {
            return (int)id;
        }

        warnings.Add($"{file.Path}: metadata '{key}' is {id}, which cannot occur: there are tokens 0 to {count - 1}. It is ignored.");
        return null;
    }
}
