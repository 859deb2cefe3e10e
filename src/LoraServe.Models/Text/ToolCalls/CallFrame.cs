namespace LoraServe.Models.Text.ToolCalls;

/// <summary>What stands around the calls of an answer, in GBNF.</summary>
/// <param name="Before">Ahead of the first.</param>
/// <param name="Between">Between two; null where an answer has one call only.</param>
/// <param name="After">Behind the last.</param>
internal readonly record struct CallFrame(string Before, string? Between, string After);
