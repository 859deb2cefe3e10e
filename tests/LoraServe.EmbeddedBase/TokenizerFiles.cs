using System.Text.Json;
using System.Text.Json.Nodes;

namespace LoraServe.EmbeddedBase;

/// <summary>Writes a byte-pair vocabulary as the files of a Hugging Face tokenizer.</summary>
internal static class TokenizerFiles
{
    /// <summary>Begins every text; id 0.</summary>
    public const string Begin = "<s>";

    /// <summary>Ends every answer; id 1.</summary>
    public const string End = "</s>";

    /// <summary>Ids ahead of the bytes.</summary>
    public const int SpecialCount = 2;

    private const string ChatTemplate =
        "{{ bos_token }}{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}{% if message['role'] == 'assistant' %}{{ eos_token }}{% else %}{{ '\\n' }}{% endif %}{% endfor %}"
        + "{% if add_generation_prompt %}assistant:{% endif %}";

    private static readonly JsonSerializerOptions s_compact = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c>.</summary>
    /// <param name="directory">Exists already.</param>
    /// <param name="tokens">The tokens as bytes; their ids follow those of begin and end.</param>
    /// <param name="merges">The merges, as places in <paramref name="tokens"/>.</param>
    public static void Write(string directory, IReadOnlyList<byte[]> tokens, IReadOnlyList<(int Left, int Right)> merges)
    {
        string[] spelled = [.. tokens.Select(Spell)];
        var vocabulary = new JsonObject { [Begin] = 0, [End] = 1 };
        foreach ((int index, string token) in spelled.Index())
        {
            vocabulary.Add(token, index + SpecialCount);
        }

        var tokenizer = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray(Special(0, Begin), Special(1, End)),
            ["normalizer"] = null,
            ["pre_tokenizer"] = ByteLevel(),
            ["post_processor"] = new JsonObject
            {
                ["type"] = "TemplateProcessing",
                ["single"] = new JsonArray(Piece("SpecialToken", Begin), Piece("Sequence", "A")),
                ["pair"] = new JsonArray(Piece("SpecialToken", Begin), Piece("Sequence", "A"), Piece("Sequence", "B")),
                ["special_tokens"] = new JsonObject { [Begin] = new JsonObject { ["id"] = Begin, ["ids"] = new JsonArray(0), ["tokens"] = new JsonArray(Begin) } },
            },
            ["decoder"] = ByteLevel(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = false,
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray([.. merges.Select(merge => new JsonArray(spelled[merge.Left], spelled[merge.Right]))]),
            },
        };
        File.WriteAllText(Path.Combine(directory, "tokenizer.json"), tokenizer.ToJsonString(s_compact));
        var config = new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["bos_token"] = Begin,
            ["eos_token"] = End,
            ["chat_template"] = ChatTemplate,
        };
        File.WriteAllText(Path.Combine(directory, "tokenizer_config.json"), config.ToJsonString(s_compact));
    }

    /// <summary>GPT-2's spelling: visible characters of Latin-1 stand for themselves, the other bytes for characters from U+0100 on.</summary>
    private static string Spell(byte[] token) => string.Concat(token.Select(Spell));

    private static char Spell(byte value) => IsVisible(value) ? (char)value : (char)(256 + Enumerable.Range(0, value).Count(other => !IsVisible(other)));

    private static bool IsVisible(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);

    private static JsonObject ByteLevel() => new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true };

    private static JsonObject Piece(string kind, string id) => new() { [kind] = new JsonObject { ["id"] = id, ["type_id"] = 0 } };

    private static JsonObject Special(int id, string text) => new()
    {
        ["id"] = id,
        ["content"] = text,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = true,
    };
}
