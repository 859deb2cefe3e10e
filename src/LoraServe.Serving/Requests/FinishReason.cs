namespace LoraServe.Serving.Requests;

/// <summary>Why a choice ended.</summary>
public enum FinishReason
{
    /// <summary>It has not ended yet.</summary>
    None,

    /// <summary>The end token, a stop id or a stop text.</summary>
    Stop,

    /// <summary>The most tokens asked for, or the end of the context.</summary>
    Length,
}
