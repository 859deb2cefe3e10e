using System.Text.Json;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces.OpenAi.Fields;

/// <summary>Fields that can be of several types.</summary>
internal static class FieldReading
{
    /// <summary>Most prompts, or texts, of one request.</summary>
    public const int MaxTexts = 256;

    private const int LongestWord = 40;

    /// <summary>Whether a field was sent, and is not null.</summary>
    public static bool IsSent(JsonElement value) => value.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    /// <summary>A text or a list of texts; none where the field was not sent.</summary>
    public static IReadOnlyList<string> Texts(JsonElement value, string field) => value.ValueKind switch
    {
        _ when !IsSent(value) => [],
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array => [.. value.EnumerateArray().Select((text, i) => text.ValueKind == JsonValueKind.String ? text.GetString()! : throw Invalid($"{field}[{i}]", "a string", text))],
        _ => throw Invalid(field, "a string or an array of strings", value),
    };

    /// <summary>Texts, each as such or as its tokens: a text, the ids of one, or a list of either.</summary>
    public static (IReadOnlyList<string> Texts, IReadOnlyList<IReadOnlyList<int>> Tokens) TextsOrTokens(JsonElement value, string field)
    {
        const string Expected = "a string, an array of strings, of token ids, or of arrays of token ids";
        if (!IsSent(value))
        {
            throw Missing(field);
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            return ([value.GetString()!], []);
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            throw Invalid(field, Expected, value);
        }

        JsonElement first = value.EnumerateArray().FirstOrDefault();
        if (first.ValueKind == JsonValueKind.Number)
        {
            return ([], [Tokens(value, field)]);
        }

        if (value.GetArrayLength() > MaxTexts)
        {
            throw JsonMessage.Refusal($"{field} has {value.GetArrayLength()} texts; a request can have {MaxTexts}.", field);
        }

        return first.ValueKind switch
        {
            JsonValueKind.String => (Texts(value, field), []),
            JsonValueKind.Array => ([], [.. value.EnumerateArray().Select((ids, i) => Tokens(ids, $"{field}[{i}]"))]),
            JsonValueKind.Undefined => throw new EngineException(EngineError.EmptyPrompt, $"{field} is an empty array; give at least one text.") { Field = field },
            _ => throw Invalid($"{field}[0]", "a string, a token id or an array of token ids", first),
        };
    }

    /// <summary>What refuses a request without a field that it must have.</summary>
    public static EngineException Missing(string field) => JsonMessage.Refusal($"Missing required parameter: '{field}'.", field);

    /// <summary>A caller's word as a refusal repeats it.</summary>
    public static string Shown(string word) => word.Length <= LongestWord ? word : $"{word[..LongestWord]}…";

    /// <summary>What refuses a field of another type.</summary>
    public static EngineException Invalid(string field, string expected, JsonElement found) =>
        JsonMessage.Refusal($"Invalid type for '{field}': expected {expected}, but got {JsonMessage.Kind(found)} instead.", field);

    /// <summary>What refuses a field that means something which there is not here.</summary>
    public static EngineException Unsupported(string field, string why) => new(EngineError.InvalidRequest, $"Unsupported parameter: '{field}'. {why}") { Field = field };

    private static IReadOnlyList<int> Tokens(JsonElement ids, string field) => ids.ValueKind == JsonValueKind.Array
        ? [.. ids.EnumerateArray().Select((id, i) => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int token) ? token : throw Invalid($"{field}[{i}]", "a token id", id))]
        : throw Invalid(field, "an array of token ids", ids);
}
