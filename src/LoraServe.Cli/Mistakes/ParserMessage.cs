using System.Text.RegularExpressions;

namespace LoraServe.Cli.Mistakes;

/// <summary>What the parser of the command line says, on one line and without what tells nobody anything.</summary>
internal static partial class ParserMessage
{
    private const string Asks = "Did you mean one of the following?";

    public static string Plain(string said)
    {
        string[] lines = said.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

        // Suggestions stand alone on their lines, below the question that they are for; those for the first are told.
        string[] answers = [.. lines.SkipWhile(line => !line.EndsWith(Asks, StringComparison.Ordinal)).Skip(1)];
        string[] suggestions = [.. answers.TakeWhile(line => !line.Contains(' '))];
        IEnumerable<string> sentences = lines.Except(answers.Where(line => !line.Contains(' ')))
            .Select(line => line.Replace(Asks, "", StringComparison.Ordinal).Trim())
            .Where(line => !line.EndsWith("was not matched.", StringComparison.Ordinal));
        if (sentences.Any(line => line.StartsWith("Unrecognized", StringComparison.Ordinal)))
        {
            // It was provided, but is none.
            sentences = sentences.Where(line => line != "Required command was not provided.");
        }

        string hint = suggestions.Length == 0 ? ""
            : suggestions[0].StartsWith('-') || !said.StartsWith("Cannot parse", StringComparison.Ordinal) ? $" Did you mean {string.Join(" or ", suggestions)}?"
            : $" Expected {string.Join(", ", suggestions).ToLowerInvariant()}.";
        return ExpectedType().Replace(string.Join(' ', sentences), found => found.Groups[1].Value switch
        {
            "Double" or "Single" => " as a number",
            "Int32" or "Int64" or "UInt64" => " as a whole number",
            _ => "",
        }) + hint;
    }

    [GeneratedRegex(@" as expected type '(?:System\.Nullable`1\[)?[\w.]*?(\w+)\]?'")]
    private static partial Regex ExpectedType();
}
