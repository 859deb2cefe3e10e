using System.Text.Json;

namespace LoraServe.Training.Data;

/// <summary>One row of a data set, as text.</summary>
/// <param name="File">The file, as the caller named it.</param>
/// <param name="Line">Its line, from 1; of a file that is not made of lines, the number of the row.</param>
/// <param name="Kind">Which fields it had.</param>
public sealed record DataRow(string File, int Line, DataRowKind Kind)
{
    /// <summary>The form that it was read in.</summary>
    public RowFormat Format { get; init; }

    /// <summary>What comes before the answer; empty for a text and a conversation.</summary>
    public string Prompt { get; init; } = "";

    /// <summary>The completion, first reference, chosen answer or text; empty for a conversation.</summary>
    public string Answer { get; init; } = "";

    /// <summary>The answer that is not preferred, or null.</summary>
    public string? Rejected { get; init; }

    /// <summary>The turns of a conversation, of a preference the chosen one; none of a row without.</summary>
    public IReadOnlyList<JsonElement> Messages => Conversation?.Messages ?? [];

    /// <summary>Fields that say nothing of what is learnt and were not read, such as an id.</summary>
    public IReadOnlyList<string> Unread { get; init; } = [];

    internal Conversation? Conversation { get; init; }

    /// <summary>The conversation that is not preferred, or null.</summary>
    internal Conversation? RejectedConversation { get; init; }

    internal TrainingDataException Wrong(string problem, Exception? innerException = null) => new(File, Line, problem, innerException);
}
