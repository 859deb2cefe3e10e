using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using LoraServe.Compute.Files;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces.Http;

/// <summary>JSON of a stranger as a message. What is wrong is refused with the name of the field, in OpenAI's words where it has some.</summary>
internal static partial class JsonMessage
{
    private const int LongestName = 100;

    /// <param name="json">The text.</param>
    /// <param name="type">What it is to be.</param>
    /// <exception cref="EngineException">It is not that.</exception>
    public static T Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            CheckTexts(json);
            return JsonSerializer.Deserialize(json, type) ?? throw Refusal("The body is null; expected an object.", null);
        }
        catch (JsonException mistake)
        {
            throw Describe(mistake, json, type);
        }
    }

    /// <summary>Refuses texts that are no Unicode: whoever reads them later, a template or a tokenizer, could do nothing with them.</summary>
    private static void CheckTexts(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
        {
            throw Refusal("The body is not UTF-8.", null);
        }

        // All that valid UTF-8 leaves are escapes that make half of a surrogate pair.
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
            {
                try
                {
                    _ = reader.GetString();
                }
                catch (InvalidOperationException)
                {
                    throw Refusal($"A text in the body is no Unicode: at byte {reader.TokenStartIndex} an escape has half of a surrogate pair.", null);
                }
            }
        }
    }

    private static EngineException Describe(JsonException mistake, ReadOnlySpan<byte> json, JsonTypeInfo type)
    {
        if (mistake.InnerException is JsonException || mistake.Path is not { } path)
        {
            return Refusal($"The body is not JSON: {JsonMistake.Describe(mistake)}.", null);
        }

        string field = path.TrimStart('$').TrimStart('.');
        field = field.Length <= LongestName ? field : $"{field[..LongestName]}…";
        if (Doubled().IsMatch(mistake.Message))
        {
            string name = Doubled().Match(mistake.Message).Groups["name"].Value;
            return Refusal($"The body has '{name}' twice; send it once.", name);
        }

        if (Unmapped().Match(mistake.Message) is { Success: true } unmapped)
        {
            // The path ends at the object, or at the name itself.
            string name = unmapped.Groups["name"].Value;
            string whole = field.Length == 0 || field == name || field.EndsWith($".{name}", StringComparison.Ordinal) || field.Contains('\'', StringComparison.Ordinal)
                ? field.Length == 0 ? name : field
                : $"{field}.{name}";
            return Refusal($"Unrecognized request argument supplied: {whole}", whole);
        }

        return field.Length == 0
            ? Refusal("The body is not an object.", null)
            : Refusal($"Invalid type for '{field}': expected {Expected(path, type)}, but got {Found(path, json)} instead.", field);
    }

    private static string Expected(string path, JsonTypeInfo type)
    {
        Type? at = type.Type;
        foreach (Match part in Part().Matches(path))
        {
            JsonTypeInfo? here = at is null ? null : type.Options.GetTypeInfo(at);
            at = here?.Kind == JsonTypeInfoKind.Object
                ? here.Properties.FirstOrDefault(property => property.Name == part.Groups["name"].Value)?.PropertyType
                : here?.ElementType;
        }

        at = at is null ? null : Nullable.GetUnderlyingType(at) ?? at;
        return at switch
        {
            null => "another type",
            _ when at == typeof(string) => "a string",
            _ when at == typeof(bool) => "a boolean",
            _ when at == typeof(int) || at == typeof(long) => "an integer that can be held",
            _ when at.IsPrimitive => "a number",
            _ => type.Options.GetTypeInfo(at).Kind == JsonTypeInfoKind.Enumerable ? "an array" : "an object",
        };
    }

    private static string Found(string path, ReadOnlySpan<byte> json)
    {
        JsonElement at = JsonElement.Parse(json);
        foreach (Match part in Part().Matches(path))
        {
            at = at.ValueKind switch
            {
                JsonValueKind.Object when at.TryGetProperty(part.Groups["name"].Value, out JsonElement field) => field,
                JsonValueKind.Array when part.Groups["index"].Success => at[int.Parse(part.Groups["index"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture)],
                _ => at,
            };
        }

        return Kind(at);
    }

    /// <summary>What a value is, in a refusal's words.</summary>
    public static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => value.GetRawText() is { Length: <= 20 } number ? number : "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };

    /// <summary>A refusal of a field.</summary>
    public static EngineException Refusal(string message, string? field) => new(EngineError.InvalidRequest, message) { Field = field };

    [GeneratedRegex(@"\.(?<name>[^.\['\]]+)|\['(?<name>[^']*)'\]|\[(?<index>\d{1,9})\]")]
    private static partial Regex Part();

    [GeneratedRegex(@"^Duplicate property '(?<name>[^']{1,100})'")]
    private static partial Regex Doubled();

    [GeneratedRegex(@"^The JSON property '(?<name>[^']{1,100})[^']*' could not be mapped")]
    private static partial Regex Unmapped();
}
