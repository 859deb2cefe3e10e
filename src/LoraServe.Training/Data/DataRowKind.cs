namespace LoraServe.Training.Data;

/// <summary>Which fields a row of a data set has.</summary>
public enum DataRowKind
{
    /// <summary><c>prompt</c> and <c>completion</c>.</summary>
    Completion,

    /// <summary><c>prompt</c> and several <c>references</c>, of which the first is the answer, after a space.</summary>
    References,

    /// <summary><c>messages</c>, each with <c>role</c> and <c>content</c>; the assistant's are the answers.</summary>
    Conversation,

    /// <summary><c>text</c>.</summary>
    Text,

    /// <summary><c>prompt</c>, <c>chosen</c> and <c>rejected</c>.</summary>
    Preference,
}
