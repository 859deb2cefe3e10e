using System.Globalization;
using System.Text.Json;
using LoraServe.Tokenization.AddedTokens;

namespace LoraServe.Tokenization.Files;

/// <summary>What the files beside a tokenizer.json say of it, as transformers reads them: tokenizer_config.json, special_tokens_map.json, added_tokens.json.</summary>
/// <remarks>
/// Where the configuration lists added tokens (<c>added_tokens_decoder</c>) it comes first; older files do not, and then the map of special tokens does.
/// A field that is null counts as missing.
/// </remarks>
public sealed record TokenizerSettings
{
    /// <summary>The file with the settings.</summary>
    public const string ConfigFile = "tokenizer_config.json";

    private const string MapFile = "special_tokens_map.json";
    private const string AddedFile = "added_tokens.json";
    private const string DecoderField = "added_tokens_decoder";
    private const int MaxFileBytes = 64 << 20;

    private static readonly string[] s_roles = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];
    private static readonly string[] s_lists = ["additional_special_tokens", "extra_special_tokens"];

    /// <summary>The text of the token that begins a text, or null.</summary>
    public string? BeginToken { get; init; }

    /// <summary>The text of the token that ends a text, or null.</summary>
    public string? EndToken { get; init; }

    /// <summary>The text of the token for what the vocabulary lacks, or null.</summary>
    public string? UnknownToken { get; init; }

    /// <summary>The text of the token that fills rows up, or null.</summary>
    public string? PaddingToken { get; init; }

    /// <summary>Whether texts are put between begin and end token, in the place of what tokenizer.json says; null where the files leave that to it.</summary>
    public (bool Begin, bool End)? Frame { get; init; }

    /// <summary>Tokens that come to those of tokenizer.json, or are otherwise than there.</summary>
    internal IReadOnlyList<AddedToken> Added { get; init; } = [];

    /// <summary>Texts of the tokens that have a part to play: control and not text, where the vocabulary has them.</summary>
    internal IReadOnlyList<string> Special { get; init; } = [];

    /// <summary>Reads the files of a folder; empty where there are none.</summary>
    /// <exception cref="TokenizerFormatException">A file is damaged; names it.</exception>
    public static TokenizerSettings Read(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        using JsonDocument? config = Open(folder, ConfigFile);
        using JsonDocument? map = Open(folder, MapFile);
        JsonNode? configured = Root(config, ConfigFile);
        JsonNode? mapped = Root(map, MapFile);
        JsonNode? decoder = configured?.Find(DecoderField);
        JsonNode[] files = [.. (decoder is null ? new[] { mapped, configured } : [configured, mapped]).OfType<JsonNode>()];
        string?[] texts = Array.ConvertAll(s_roles, role => files.Select(file => file.Find(role)).OfType<JsonNode>().Select(Text).FirstOrDefault());
        string[] special = [.. texts.OfType<string>().Concat(files.SelectMany(ListedSpecial)).Distinct()];
        return new TokenizerSettings
        {
            BeginToken = texts[0],
            EndToken = texts[1],
            UnknownToken = texts[2],
            PaddingToken = texts[3],
            Frame = (Flag(configured, "add_bos_token"), Flag(configured, "add_eos_token")) is var (begin, end) && (begin ?? end) is not null ? (begin ?? false, end ?? false) : null,
            Added = decoder is { } tokens ? [.. tokens.Fields().Select(field => Decoded(field.Name, field.Value))] : Legacy(folder, special),
            Special = special,
        };
    }

    private static JsonDocument? Open(string folder, string name)
    {
        var file = new FileInfo(Path.Combine(folder, name));
        if (!file.Exists)
        {
            return null;
        }

        try
        {
            return file.Length <= MaxFileBytes
                ? JsonDocument.Parse(File.ReadAllBytes(file.FullName))
                : throw new TokenizerFormatException($"{name} beside it has {file.Length} bytes; expected at most {MaxFileBytes}");
        }
        catch (JsonException exception)
        {
            throw new TokenizerFormatException($"{name} beside it is not valid JSON: {exception.Message}", exception);
        }
    }

    private static JsonNode? Root(JsonDocument? document, string name) => document is null ? null : new JsonNode(document.RootElement, name);

    /// <summary>A token is named by its text, or by an object that holds it as <c>content</c>.</summary>
    private static string Text(JsonNode token) => token.IsObject ? token["content"].AsString() : token.AsString();

    private static bool? Flag(JsonNode? file, string field) => file?.Find(field)?.AsBool();

    /// <summary>Special tokens without a role: a list of them, or names that somebody gave them.</summary>
    private static IEnumerable<string> ListedSpecial(JsonNode file) => s_lists.Select(file.Find).OfType<JsonNode>()
        .SelectMany(list => list.IsObject ? list.Fields().Select(field => field.Value) : list.Items()).Select(Text);

    private static AddedToken Decoded(string id, JsonNode token) => AddedTokenReader.Read(
        token,
        int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw token.Refused($"'{id}' is no token id"));

    /// <summary>What transformers wrote before <c>added_tokens_decoder</c>: texts with their ids.</summary>
    private static List<AddedToken> Legacy(string folder, string[] special)
    {
        using JsonDocument? file = Open(folder, AddedFile);
        return Root(file, AddedFile) is not { } root
            ? []
            : [.. root.Fields().Select(field => new AddedToken(field.Value.AsInt(), field.Name, IsSpecial: special.Contains(field.Name), IsNormalized: !special.Contains(field.Name)))];
    }
}
