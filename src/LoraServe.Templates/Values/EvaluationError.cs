namespace LoraServe.Templates.Values;

/// <summary>A failure while rendering; where it leaves the renderer the line is added.</summary>
internal class EvaluationError(string message) : Exception(message);
