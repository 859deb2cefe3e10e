namespace LoraServe.Templates.Values;

/// <summary>The template called <c>raise_exception</c>.</summary>
internal sealed class RaisedByTemplateError(string message) : EvaluationError(message);
