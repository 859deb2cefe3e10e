namespace LoraServe.Templates;

/// <summary>A chat template that cannot be parsed, or that fails on the given variables.</summary>
public sealed class TemplateException : Exception
{
    /// <summary>Says that templates of a model are not to be used.</summary>
    /// <param name="template">The templates.</param>
    /// <param name="problem">What is wrong with them and what to do.</param>
    public TemplateException(string template, string problem)
        : this($"{template}: {problem}", template, 1, raisedByTemplate: false)
    {
    }

    internal TemplateException(string message, string template, int line, bool raisedByTemplate, Exception? inner = null)
        : base(message, inner)
    {
        Template = template;
        Line = line;
        RaisedByTemplate = raisedByTemplate;
    }

    /// <summary>The name under which the template was parsed.</summary>
    public string Template { get; }

    /// <summary>The line of the template, counted from 1.</summary>
    public int Line { get; }

    /// <summary>
    /// True when the template itself refused its input by calling <c>raise_exception</c>;
    /// <see cref="Exception.Message"/> is then exactly the text that it gave.
    /// </summary>
    public bool RaisedByTemplate { get; }
}
