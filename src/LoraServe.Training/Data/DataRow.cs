using System.Text.Json;

namespace LoraServe.Training.Data;

/// <summary>One row of a data set, as text.</summary>
/// <param name="File">The file, as the caller named it.</param>
/// <param name="Line">Its line, from 1.</param>
/// <param name="Kind">Which fields it had.</param>
/// <param name="Prompt">What comes before the answer; empty for a text and a conversation.</param>
/// <param name="Answer">The completion, first reference, chosen answer or text; empty for a conversation.</param>
/// <param name="Rejected">The answer that is not preferred, or null.</param>
/// <param name="Messages">The turns of a conversation: objects whose <c>role</c> is a string, and an assistant's <c>content</c> a string that is not empty.</param>
public sealed record DataRow(string File, int Line, DataRowKind Kind, string Prompt, string Answer, string? Rejected, IReadOnlyList<JsonElement> Messages)
{
    internal const string Role = "role";

    internal const string Content = "content";

    internal static bool IsAssistant(JsonElement message) => message.GetProperty(Role).ValueEquals("assistant");

    internal TrainingDataException Wrong(string problem, Exception? innerException = null) => new(File, Line, problem, innerException);
}
