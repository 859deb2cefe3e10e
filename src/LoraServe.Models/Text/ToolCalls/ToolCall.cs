namespace LoraServe.Models.Text.ToolCalls;

/// <summary>A call of a tool, as a model made it.</summary>
/// <param name="Id">By which its result says whose it is.</param>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">The JSON text of an object.</param>
public sealed record ToolCall(string Id, string Name, string Arguments);
