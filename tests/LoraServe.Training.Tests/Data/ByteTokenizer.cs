using System.Text;
using System.Text.Json;
using LoraServe.Tokenization;
using LoraServe.Models.Text;
using LoraServe.Training.Data;

namespace LoraServe.Training.Tests.Data;

/// <summary>A token for each byte, and a few special ones.</summary>
internal static class ByteTokenizer
{
    public const int Begin = 256;
    public const int End = 257;
    public const int Turn = 258;

    /// <summary>Every message is <c>&lt;turn&gt;role:content&lt;end&gt;</c> and a line's end.</summary>
    public const string Template = "{% for message in messages %}<turn>{{ message.role }}:{{ message.content }}<end>\n{% endfor %}{% if add_generation_prompt %}<turn>assistant:{% endif %}";

    private const int Bytes = 256;

    public static RowTokenizer Rows(string? template = Template, bool beginsTexts = false, int vocabularySize = int.MaxValue)
    {
        Tokenizer tokenizer = Create(beginsTexts);
        return new RowTokenizer(tokenizer, End, ChatFormat.Of(new ModelText("the test", tokenizer, template is null ? null : ChatTemplates.Of(template))), vocabularySize);
    }

    /// <summary>The ids of a text without special tokens.</summary>
    public static int[] Ids(string text) => [.. Encoding.UTF8.GetBytes(text).Select(value => (int)value)];

    private static Tokenizer Create(bool beginsTexts) => Tokenizer.FromUtf8Json(Json(beginsTexts), "bytes");

    /// <summary>The tokenizer.json.</summary>
    public static byte[] Json(bool beginsTexts = false)
    {
        var vocabulary = new Dictionary<string, int>();
        int unprintable = 0;
        for (int value = 0; value < Bytes; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            vocabulary[((char)(printable ? value : Bytes + unprintable++)).ToString()] = value;
        }

        var byteLevel = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true };
        object? begin = beginsTexts
            ? new
            {
                type = "TemplateProcessing",
                single = new object[] { new { SpecialToken = new { id = "<begin>", type_id = 0 } }, new { Sequence = new { id = "A", type_id = 0 } } },
                pair = Array.Empty<object>(),
                special_tokens = new Dictionary<string, object> { ["<begin>"] = new { id = "<begin>", ids = new[] { Begin }, tokens = new[] { "<begin>" } } },
            }
            : null;
        return JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object?>
        {
            ["version"] = "1.0",
            ["added_tokens"] = new[] { Special(Begin, "<begin>"), Special(End, "<end>"), Special(Turn, "<turn>") },
            ["normalizer"] = null,
            ["pre_tokenizer"] = byteLevel,
            ["post_processor"] = begin,
            ["decoder"] = byteLevel,
            ["model"] = new { type = "BPE", vocab = vocabulary, merges = Array.Empty<string>() },
        });
    }

    private static object Special(int id, string content) =>
        new { id, content, single_word = false, lstrip = false, rstrip = false, normalized = false, special = true };
}
