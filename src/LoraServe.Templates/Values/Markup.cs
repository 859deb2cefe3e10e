using LoraServe.Templates.Text;


namespace LoraServe.Templates.Values;

/// <summary>A string that escaping leaves alone.</summary>
internal sealed record Markup(string Text) : IObject
{
    public string TypeName => "Markup";

    public string Repr => $"Markup({PythonText.Repr(Text)})";

    /// <summary>The characters of a string or of markup; null for anything else.</summary>
    public static string? TextOf(object? value) => value as string ?? (value as Markup)?.Text;
}
