namespace LoraServe.Adapters;

/// <summary>An adapter's files are damaged, unsupported or made for another base. The message names file, tensor, found, expected and what to do.</summary>
public sealed class AdapterFormatException : Exception
{
    /// <summary>A refusal.</summary>
    /// <param name="message">Which file and tensor or field, what was found, what was expected, what to do.</param>
    /// <param name="innerException">What the refusal comes from, where another component found the damage.</param>
    public AdapterFormatException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
