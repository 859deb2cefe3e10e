using LoraServe.Grammars.Automata;

namespace LoraServe.Grammars;

/// <summary>Where one answer has come to in its grammar. For one thread at a time.</summary>
public sealed class GrammarMatcher
{
    private readonly CompiledGrammar _grammar;
    private ParseState _state;
    private bool _isFirst = true;

    internal GrammarMatcher(CompiledGrammar grammar, ParseState start)
    {
        (_grammar, _state) = (grammar, start);
    }

    /// <summary>Whether the text so far is one of the grammar.</summary>
    public bool CanEnd => _grammar.CanEnd(ref _state);

    /// <summary>Whether the text so far is one of the grammar that cannot go on.</summary>
    public bool IsComplete => _grammar.IsComplete(ref _state);

    /// <summary>Which tokens may come next, a bit each in words of 64: of token t bit t mod 64 of word t / 64. Tokens that end an answer are not among them: see <see cref="CanEnd"/>.</summary>
    /// <exception cref="Rules.GrammarException">The grammar can be read in too many ways here.</exception>
    public ReadOnlySpan<ulong> AllowedTokens() => _grammar.Mask(ref _state, _isFirst);

    /// <summary>Goes on by a token; false, and nothing changes, where it may not come next.</summary>
    /// <exception cref="Rules.GrammarException">The grammar can be read in too many ways here.</exception>
    public bool TryAccept(int token)
    {
        bool isAccepted = _grammar.TryAdvance(ref _state, token, _isFirst);
        _isFirst &= !isAccepted;
        return isAccepted;
    }
}
