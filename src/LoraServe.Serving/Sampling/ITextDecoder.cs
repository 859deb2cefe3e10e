namespace LoraServe.Serving.Sampling;

/// <summary>Turns one answer's tokens into text as they come.</summary>
internal interface ITextDecoder
{
    /// <summary>The text that the token completes; never half a character. Valid until the next call.</summary>
    ReadOnlySpan<char> Append(int token);

    /// <summary>What is left of an unfinished character at the end.</summary>
    ReadOnlySpan<char> Flush();
}
