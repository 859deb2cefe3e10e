using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoraServe.Studio;

/// <summary>What verbs print for programs: one JSON object a line, fields in snake_case, text as it is and not escaped.</summary>
public static class JsonOutput
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Writes one object and ends the line.</summary>
    public static void WriteJson<T>(this TextWriter output, T value) => output.WriteLine(JsonSerializer.Serialize(value, s_options));

    /// <summary>Reads an object that was written so.</summary>
    /// <exception cref="JsonException">It was not.</exception>
    public static T? ReadJson<T>(string text) => JsonSerializer.Deserialize<T>(text, s_options);
}
