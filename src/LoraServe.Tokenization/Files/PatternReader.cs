using LoraServe.Tokenization.Patterns;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads the pattern of a component: <c>{"String": …}</c> or <c>{"Regex": …}</c>.</summary>
internal static class PatternReader
{
    public static Pattern Read(JsonNode pattern)
    {
        JsonNode? literal = pattern.IsString ? pattern : pattern.Find("String");
        JsonNode expression = literal ?? pattern["Regex"];
        try
        {
            return literal is null ? Pattern.Parse(expression.AsString()) : Pattern.Literal(expression.AsString());
        }
        catch (FormatException exception)
        {
            throw expression.Refused(exception.Message);
        }
    }
}
