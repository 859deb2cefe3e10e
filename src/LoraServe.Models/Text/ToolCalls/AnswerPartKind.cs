namespace LoraServe.Models.Text.ToolCalls;

/// <summary>What a part of an answer is.</summary>
public enum AnswerPartKind
{
    /// <summary>What the model says.</summary>
    Text,

    /// <summary>A call begins; the text is the tool's name.</summary>
    CallBegin,

    /// <summary>More of the JSON text of the call's arguments.</summary>
    Arguments,

    /// <summary>The call is whole, its arguments are an object. No text.</summary>
    CallEnd,

    /// <summary>The call that began turned out to be none, or the answer ended in it; the text is all that was written of it.</summary>
    CallBroken,
}
