namespace LoraServe.Templates.Runtime;

/// <summary>The values given in a call.</summary>
internal sealed record CallArguments(List<object?> Positional, List<KeyValuePair<string, object?>> Named);
