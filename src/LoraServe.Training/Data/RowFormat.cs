namespace LoraServe.Training.Data;

/// <summary>A form in which rows are exchanged.</summary>
public enum RowFormat
{
    /// <summary>Whatever each row's fields say.</summary>
    Auto,

    /// <summary><c>prompt</c> and <c>completion</c> or <c>references</c>: texts, or lists of messages as TRL has them.</summary>
    Prompt,

    /// <summary><c>messages</c> with <c>role</c> and <c>content</c>, as OpenAI's fine-tuning has them.</summary>
    Messages,

    /// <summary><c>conversations</c> with <c>from</c> and <c>value</c>.</summary>
    ShareGpt,

    /// <summary><c>instruction</c>, <c>input</c> and <c>output</c>.</summary>
    Alpaca,

    /// <summary><c>chosen</c> and <c>rejected</c>, with or without <c>prompt</c>; or OpenAI's <c>input</c>, <c>preferred_output</c> and <c>non_preferred_output</c>.</summary>
    Preference,

    /// <summary><c>text</c>.</summary>
    Text,
}
