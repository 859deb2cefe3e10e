using System.Text.Json;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads which tokens play a part from the files beside a tokenizer.json.</summary>
internal static class SpecialTokensFile
{
    private static readonly string[] s_names = ["tokenizer_config.json", "special_tokens_map.json"];

    /// <summary>The ids from the first file in a folder that names each token; a token that the tokenizer lacks counts as not named.</summary>
    public static SpecialTokenIds Read(string folder, TokenizerParts tokenizer)
    {
        SpecialTokenIds ids = new();
        foreach (string path in s_names.Select(name => Path.Combine(folder, name)).Where(File.Exists))
        {
            try
            {
                using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
                JsonNode root = new(document.RootElement, Path.GetFileName(path));
                ids = new SpecialTokenIds(
                    ids.Bos ?? Find(root, "bos_token", tokenizer),
                    ids.Eos ?? Find(root, "eos_token", tokenizer),
                    ids.Unknown ?? Find(root, "unk_token", tokenizer),
                    ids.Padding ?? Find(root, "pad_token", tokenizer));
            }
            catch (JsonException exception)
            {
                throw new TokenizerFormatException($"{Path.GetFileName(path)} beside it is not valid JSON: {exception.Message}", exception);
            }
        }

        return ids;
    }

    /// <summary>A token is named by its text, or by an object that holds it as <c>content</c>.</summary>
    private static int? Find(JsonNode root, string field, TokenizerParts tokenizer) =>
        root.Find(field) is { } token
            ? tokenizer.Find(token.IsObject ? token["content"].AsString() : token.AsString())
            : null;
}
