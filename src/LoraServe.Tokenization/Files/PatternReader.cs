using LoraServe.Tokenization.Patterns;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads the pattern of a component: <c>{"String": …}</c> or <c>{"Regex": …}</c>.</summary>
internal static class PatternReader
{
    public static Pattern Read(JsonNode pattern)
    {
        if (pattern.IsString)
        {
            return Pattern.Literal(pattern.AsString());
        }

        if (pattern.Find("String") is { } text)
        {
            return Pattern.Literal(text.AsString());
        }

        JsonNode expression = pattern["Regex"];
        try
        {
            return Pattern.Parse(expression.AsString());
        }
        catch (FormatException exception)
        {
            throw expression.Refused(exception.Message);
        }
    }
}
