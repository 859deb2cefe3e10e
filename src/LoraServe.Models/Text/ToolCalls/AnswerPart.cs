namespace LoraServe.Models.Text.ToolCalls;

/// <summary>A part of an answer that may hold tool calls, as it becomes certain.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text.</param>
/// <param name="Call">Which of the answer's calls it belongs to, from 0; 0 for what the model says.</param>
/// <param name="Id">The call's id, where it begins; else empty.</param>
public readonly record struct AnswerPart(AnswerPartKind Kind, string Text, int Call = 0, string Id = "");
