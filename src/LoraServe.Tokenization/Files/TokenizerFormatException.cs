namespace LoraServe.Tokenization.Files;

/// <summary>A tokenizer's description is damaged, contradicts itself, or asks for something that this reader does not implement.</summary>
public sealed class TokenizerFormatException : Exception
{
    /// <summary>Creates the exception without a source or a reason.</summary>
    public TokenizerFormatException()
    {
    }

    /// <summary>Creates the exception with a complete message.</summary>
    public TokenizerFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a complete message and what led to it.</summary>
    public TokenizerFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
