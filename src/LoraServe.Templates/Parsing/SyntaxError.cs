namespace LoraServe.Templates.Parsing;

/// <summary>The source is not Jinja; the line counts from 1.</summary>
internal sealed class SyntaxError(string message, int line) : Exception(message)
{
    public int Line { get; } = line;
}
