using System.Text.Json;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>What came back over REST.</summary>
/// <param name="Status">HTTP's status.</param>
/// <param name="Headers">Its headers.</param>
/// <param name="Text">Its body.</param>
internal sealed record RestAnswer(int Status, IReadOnlyDictionary<string, string> Headers, string Text)
{
    public JsonElement Json => JsonElement.Parse(Text);

    /// <summary>The error, in OpenAI's form.</summary>
    public JsonElement Error => Json.GetProperty("error");

    public string? Message => Error.GetProperty("message").GetString();

    public string? Param => Error.GetProperty("param").GetString();

    public string? Code => Error.GetProperty("code").GetString();
}
