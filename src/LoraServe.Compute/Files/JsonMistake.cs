using System.Text.Json;

namespace LoraServe.Compute.Files;

/// <summary>What is wrong with a JSON text, in words for whoever wrote it: the reader's own count lines from 0 and speak of its types.</summary>
public static class JsonMistake
{
    /// <summary>Such as <c>line 3: 'x' is an invalid start of a value</c>, without a full stop.</summary>
    /// <param name="mistake">What the reader threw.</param>
    public static string Describe(JsonException mistake)
    {
        ArgumentNullException.ThrowIfNull(mistake);
        string place = mistake.LineNumber is { } line ? $"line {line + 1}: " : "";
        if (mistake.Message.Contains("could not be converted", StringComparison.Ordinal))
        {
            string value = mistake.Path is { Length: > 1 } path ? path.TrimStart('$', '.') : "it";
            return $"{place}{value} is not what is expected there";
        }

        // The reader says where at the end: " Path: $ | LineNumber: 0 | BytePositionInLine: 1."
        int end = mistake.Message.IndexOf(" Path: ", StringComparison.Ordinal);
        end = end < 0 ? mistake.Message.IndexOf(" LineNumber: ", StringComparison.Ordinal) : end;
        return place + (end < 0 ? mistake.Message : mistake.Message[..end]).TrimEnd('.');
    }
}
