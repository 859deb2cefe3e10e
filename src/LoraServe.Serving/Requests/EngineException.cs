namespace LoraServe.Serving.Requests;

/// <summary>A request that is refused or failed. The message says what was wrong, what was expected and what to do.</summary>
public sealed class EngineException : Exception
{
    /// <summary>A refusal or failure.</summary>
    /// <param name="error">Its kind.</param>
    /// <param name="message">What was wrong, what was expected, what to do.</param>
    /// <param name="innerException">What it comes from.</param>
    public EngineException(EngineError error, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Error = error;
    }

    /// <summary>Its kind.</summary>
    public EngineError Error { get; }

    /// <summary>The field of the request that it is about, as all surfaces call it; null where it is about none, or more than one.</summary>
    public string? Field { get; init; }

    /// <summary>For <see cref="EngineError.QueueFull"/>: an estimate of when there will be room.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
