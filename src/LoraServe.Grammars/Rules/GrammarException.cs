namespace LoraServe.Grammars.Rules;

/// <summary>A schema, pattern, grammar or list of choices that cannot be used: not well formed, not supported, or too large.</summary>
public sealed class GrammarException : Exception
{
    /// <param name="message">What it is, where in it, what was found, and what to do.</param>
    /// <param name="inner">What a reader below found, if one did.</param>
    public GrammarException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
