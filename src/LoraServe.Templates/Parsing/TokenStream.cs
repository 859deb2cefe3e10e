using System.Runtime.CompilerServices;

namespace LoraServe.Templates.Parsing;

/// <summary>The tokens of a template with the place reached, and the guard against nesting that would overflow the stack.</summary>
internal sealed class TokenStream(List<Token> tokens)
{
    private const int MaxDepth = 200;

    private int _index;
    private int _depth;

    public Token Current => tokens[_index];

    public Token Peek => tokens[Math.Min(_index + 1, tokens.Count - 1)];

    public Token Next()
    {
        Token token = Current;
        _index = Math.Min(_index + 1, tokens.Count - 1);
        return token;
    }

    public bool SkipName(string name) => Skip(Current.IsName(name));

    public bool SkipOperator(string symbol) => Skip(Current.IsOperator(symbol));

    public Token Expect(TokenKind kind, string expected)
    {
        if (Current.Kind != kind)
        {
            throw Unexpected(expected);
        }

        return Next();
    }

    public void ExpectOperator(string symbol)
    {
        if (!SkipOperator(symbol))
        {
            throw Unexpected(symbol);
        }
    }

    public void ExpectName(string name)
    {
        if (!SkipName(name))
        {
            throw Unexpected(name);
        }
    }

    public void Enter()
    {
        if (++_depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new SyntaxError($"more than {MaxDepth} levels of nesting", Current.Line);
        }
    }

    public void Leave() => _depth--;

    public SyntaxError Unexpected(string expected) => Current.Kind == TokenKind.End
        ? new SyntaxError($"unexpected end of template, expected '{expected}'.", Current.Line)
        : new SyntaxError($"expected token '{expected}', got '{Current}'", Current.Line);

    private bool Skip(bool matches)
    {
        if (matches)
        {
            Next();
        }

        return matches;
    }
}
