namespace LoraServe.Serving.Sampling;

/// <summary>One answer's text as it becomes certain.</summary>
internal sealed class AnswerText
{
    private readonly ITextDecoder _decoder;
    private readonly StopMatcher _matcher;

    /// <param name="decoder">Of this answer alone.</param>
    /// <param name="stops">Texts that end it.</param>
    public AnswerText(ITextDecoder decoder, IReadOnlyList<string> stops)
    {
        _decoder = decoder;
        _matcher = new StopMatcher(stops);
    }

    /// <summary>Whether a stop text was complete.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Text that is certain and not handed on yet.</summary>
    public ReadOnlySpan<char> Certain => _matcher.Certain;

    /// <summary>Adds a token's text; true when a stop text is complete.</summary>
    public bool Append(int token) => IsStopped = _matcher.Append(_decoder.Append(token));

    /// <summary>Makes what is held back certain, but for a stop text that only now is complete.</summary>
    public void Flush()
    {
        if (!_matcher.Append(_decoder.Flush()))
        {
            _matcher.Flush();
        }
    }

    /// <summary>Drops what was handed on.</summary>
    public void Take() => _matcher.Take();
}
