namespace LoraServe.Cli.Evaluation;

/// <summary>Which fields a row of a data set has.</summary>
internal enum EvaluationRowKind
{
    /// <summary><c>prompt</c> and <c>completion</c>.</summary>
    Completion,

    /// <summary><c>prompt</c> and several <c>references</c>; the first is scored, after a space.</summary>
    References,

    /// <summary><c>messages</c>.</summary>
    Conversation,

    /// <summary><c>text</c>.</summary>
    Text,

    /// <summary><c>prompt</c>, <c>chosen</c> and <c>rejected</c>; the chosen answer is scored.</summary>
    Preference,
}
