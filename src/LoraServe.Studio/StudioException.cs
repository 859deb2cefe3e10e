namespace LoraServe.Studio;

/// <summary>A study or an evaluation cannot go on for a reason that the user can mend; the message says which and how.</summary>
public sealed class StudioException : Exception
{
    /// <summary>Says what is wrong and what to do.</summary>
    /// <param name="message">The message.</param>
    /// <param name="isMisuse">Whether what was asked for is wrong, rather than what it names.</param>
    public StudioException(string message, bool isMisuse = false)
        : base(message) => IsMisuse = isMisuse;

    /// <summary>Whether what was asked for is wrong, rather than what it names.</summary>
    public bool IsMisuse { get; }
}
