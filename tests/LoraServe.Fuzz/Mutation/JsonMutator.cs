using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LoraServe.Fuzz.Mutation;

/// <summary>Changes one value of a JSON document: its type, its size, its name, where it stands and how often.</summary>
internal static partial class JsonMutator
{
    /// <summary>Values as they stand in the text, some of which no writer of JSON would write.</summary>
    private static readonly string[] s_values =
    [
        "null", "true", "false", "0", "-1", "1", "0.5", "-0.0", "1e308", "1e999", "-1e400", "1e-400", "NaN", "Infinity", "99999999999", "2147483648", "-2147483649", "9223372036854775808",
        "18446744073709551616", "123456789012345678901234567890", "0x10", "01", "+1", "1.", "\"\"", "\" \"", "\"0\"", "\"nan\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\uFEFF\"", "\"é\"",
        "\"../../x\"", "\"/\"", "\"a\\\\b\"", "\"(\"", "\"(a+)+$\"", "\"[\"", "\"(?=(a+)+$)\"", "\"a{1000000}\"", "\"\\\\1\"", "\"all-linear\"", "[]", "{}", "[null]", "[[]]", "[{}]", "{\"\": null}", "[0, -1, 1e9]",
        "\"true\"", "'x'", "// x\n1", "[1,]", "tru", "\u0000", "\u00ff",
    ];

    /// <summary>A document with one value changed; bytes that are none as they are with other damage.</summary>
    /// <param name="random">What is drawn from.</param>
    /// <param name="bytes">The document.</param>
    /// <param name="other">Another, whose values come in.</param>
    public static byte[] Mutate(Random random, byte[] bytes, byte[] other)
    {
        JsonNode? root = Parse(bytes);
        if (root is not (JsonObject or JsonArray))
        {
            return ByteMutator.Mutate(random, bytes, other);
        }

        string[] raw = new string[1];
        Change(random, root, other, raw);
        string text = root.ToJsonString();
        return raw[0] is { } value ? Encoding.UTF8.GetBytes(Placeholder().Replace(text, _ => value, 1)) : Encoding.UTF8.GetBytes(text);
    }

    /// <summary>A document; null where the bytes are none.</summary>
    public static JsonNode? Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var node = JsonNode.Parse(bytes, documentOptions: new JsonDocumentOptions { MaxDepth = 200 });

            // Names and texts are read when they are looked at, which fails where one is there twice, or is no text.
            Look(node);
            return node;
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private static void Look(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject fields:
                foreach ((_, JsonNode? value) in fields)
                {
                    Look(value);
                }

                break;
            case JsonArray items:
                foreach (JsonNode? item in items)
                {
                    Look(item);
                }

                break;
            case JsonValue text when text.GetValueKind() == JsonValueKind.String:
                _ = text.GetValue<string>();
                break;
        }
    }

    private static void Change(Random random, JsonNode root, byte[] other, string[] raw)
    {
        JsonNode parent = Descend(random, root);
        if (parent is JsonObject { Count: > 0 } fields)
        {
            string name = fields.ElementAt(random.Next(fields.Count)).Key;
            JsonNode? value = fields[name];
            switch (random.Next(8))
            {
                case 0:
                    fields.Remove(name);
                    break;
                case 1:
                    fields.Remove(name);
                    fields[random.Pick([name + "x", "", name.ToUpperInvariant(), "__proto__", new string('n', 5000)])] = value;
                    break;
                case 2:
                    raw[0] = $"{Text(value)}, {JsonSerializer.Serialize(name)}: {New(random, value, root, other)}";
                    fields[name] = Mark;
                    break;
                default:
                    raw[0] = New(random, value, root, other);
                    fields[name] = Mark;
                    break;
            }
        }
        else if (parent is JsonArray { Count: > 0 } items)
        {
            int at = random.Next(items.Count);
            switch (random.Next(5))
            {
                case 0:
                    items.RemoveAt(at);
                    break;
                case 1:
                    string item = Text(items[at]);
                    raw[0] = string.Join(',', Enumerable.Repeat(item, random.Pick([2, 2, 3, Math.Max(1, Math.Min(10_000, 100_000 / (item.Length + 1)))])));
                    items[at] = Mark;
                    break;
                default:
                    raw[0] = New(random, items[at], root, other);
                    items[at] = Mark;
                    break;
            }
        }
        else
        {
            (parent as JsonObject)?.Add("x", 1);
            (parent as JsonArray)?.Add(1);
        }
    }

    /// <summary>A container: the deeper, the rarer, so that long lists are not all that is changed.</summary>
    private static JsonNode Descend(Random random, JsonNode from)
    {
        while (!random.OneIn(3))
        {
            JsonNode[] within = from switch
            {
                JsonObject fields => [.. fields.Select(field => field.Value).OfType<JsonNode>().Where(node => node is JsonObject or JsonArray)],
                JsonArray items => [.. items.OfType<JsonNode>().Where(node => node is JsonObject or JsonArray)],
                _ => [],
            };
            if (within.Length == 0)
            {
                break;
            }

            from = random.Pick(within);
        }

        return from;
    }

    private static string New(Random random, JsonNode? value, JsonNode root, byte[] other)
    {
        JsonValueKind kind = value?.GetValueKind() ?? JsonValueKind.Null;
        switch (random.Next(8))
        {
            case 0 or 1 when kind == JsonValueKind.Number:
                return $"{random.Awkward(long.TryParse(Text(value), out long number) ? number : 1)}";
            case 0 or 1 when kind == JsonValueKind.String && value!.GetValue<string>() is var text:
                return JsonSerializer.Serialize(Encoding.UTF8.GetString(ByteMutator.Mutate(random, Encoding.UTF8.GetBytes(text), other)));
            case 2:
                return $"[{Text(value)}]";
            case 3:
                JsonNode from = Descend(random, random.OneIn(2) && Parse(other) is JsonObject others ? others : root);
                return Text(from is JsonObject { Count: > 0 } fields ? fields.ElementAt(random.Next(fields.Count)).Value : from);
            case 4 when random.OneIn(4):
                int depth = random.Pick([20, 63, 64, 65, 200, 5000]);
                return random.OneIn(2) ? new string('[', depth) + new string(']', depth) : string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth);
            case 5 when random.OneIn(4):
                return $"\"{new string(random.Pick(['a', '(', '.', ' ', '9']), random.Pick([100, 5000, 70_000]))}\"";
            default:
                return random.Pick(s_values);
        }
    }

    private static JsonNode Mark => JsonValue.Create("@changed@");

    private static string Text(JsonNode? node) => node?.ToJsonString() ?? "null";

    [GeneratedRegex("\"@changed@\"")]
    private static partial Regex Placeholder();
}
