namespace LoraServe.Tokenization.Templates;

/// <summary>A failure while rendering; where it leaves the renderer the line is added.</summary>
internal class EvaluationError(string message) : Exception(message);

/// <summary>The template called <c>raise_exception</c>.</summary>
internal sealed class RaisedByTemplateError(string message) : EvaluationError(message);
