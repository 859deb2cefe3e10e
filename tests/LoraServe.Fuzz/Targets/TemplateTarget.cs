using System.Text;
using System.Text.Json;
using LoraServe.Fuzz.Seeds;
using LoraServe.Models.Text;
using LoraServe.Testing;

namespace LoraServe.Fuzz.Targets;

/// <summary>Chat templates, in files of their own and in tokenizer_config.json.</summary>
internal sealed class TemplateTarget : FuzzTarget
{
    private static readonly JsonElement s_messages = JsonSerializer.Deserialize<JsonElement>("""
        [{"role": "system", "content": "Be brief. é\ud83d\ude00"}, {"role": "user", "content": "2 < 3?\n"}, {"role": "assistant", "content": "", "tool_calls": [{"id": "abcdefghi", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1.5}"}}]},
         {"role": "tool", "content": "[1, null]", "tool_call_id": "abcdefghi"}, {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}, {"role": "user", "content": "And?"}]
        """);

    private static readonly JsonElement s_tools = JsonSerializer.Deserialize<JsonElement>(
        """[{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}}}]""");

    /// <summary>What the templates of single features look at.</summary>
    private static readonly Dictionary<string, object?> s_variables = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>("""
        {"a": 1, "b": "x", "x": 1, "y": 1, "xs": [1, 2, 3], "d": {"b": 1, "a": 2}, "t": [{"n": 1, "c": [{"n": 2, "c": []}]}], "n": 3, "f": 2.5, "l": [1], "z": null, "s": "hello", "m": {"content": [{"type": "text", "text": "a"}]},
         "ms": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]}
        """)!.ToDictionary(entry => entry.Key, entry => (object?)entry.Value);

    public override string Name => "template";

    /// <summary>A template may take ten million steps, of which each makes a value that is soon gone.</summary>
    public override long AllowedBytes => 2L << 30;

    public override void Read(string folder)
    {
        if (ChatFormat.Of(ModelText.Read(folder)) is not { } format)
        {
            return;
        }

        object[] messages = [.. s_messages.EnumerateArray()];
        _ = format.Render(messages[1..2], variables: s_variables);
        _ = format.Write(messages, s_tools, s_variables);
    }

    protected override IEnumerable<Seed> MakeSeeds() =>
    [
        .. Seed.Each(Repository.Fixture("chat/templates"), "*.jinja", ChatTemplates.FileName),
        .. Seed.Each(SharedFiles.TryGet("fixtures/chat/templates"), "*.jinja", ChatTemplates.FileName),
        .. File.ReadLines(Repository.Fixture("chat/jinja_units.jsonl")).Select((line, i) => Seed.Of($"unit-{i}", ChatTemplates.FileName, Encoding.UTF8.GetBytes(JsonDocument.Parse(line).RootElement.GetProperty("template").GetString()!))),
        Seed.Of("list", "tokenizer_config.json", """
            {"bos_token": {"content": "<s>"}, "eos_token": "</s>", "chat_template": [{"name": "default", "template": "{{ bos_token }}{% for m in messages %}{{ m['content'] }}{% endfor %}"}, {"name": "tool_use", "template": "{{ tools | tojson }}"}]}
            """u8.ToArray()),
        Seed.Of("text", "tokenizer_config.json", """{"chat_template": "{% for m in messages %}{{ m['role'] + ': ' ~ m.content }}{{ eos_token }}{% endfor %}", "eos_token": "</s>"}"""u8.ToArray()),
    ];
}
