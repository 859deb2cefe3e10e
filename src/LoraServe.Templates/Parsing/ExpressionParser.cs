using LoraServe.Templates.Expressions;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Parsing;

/// <summary>Parses expressions by recursive descent, one method per level of precedence.</summary>
internal sealed partial class ExpressionParser(TokenStream tokens)
{
    private static readonly string[] s_comparisons = ["==", "!=", "<", "<=", ">", ">="];

    /// <summary>Called with every name that is read, so that a macro learns what its body uses.</summary>
    public Action<string> NameRead { get; set; } = _ => { };

    public Expression Parse()
    {
        tokens.Enter();
        int line = tokens.Current.Line;
        Expression value = ParseOr();
        while (tokens.SkipName("if"))
        {
            Expression condition = ParseOr();
            Expression? otherwise = tokens.SkipName("else") ? Parse() : null;
            value = new Conditional(condition, value, otherwise, line);
        }

        tokens.Leave();
        return value;
    }

    /// <summary>One expression, or several with commas between: a tuple.</summary>
    public Expression ParseTuple(bool allowConditional = true, bool parenthesized = false)
    {
        int line = tokens.Current.Line;
        List<Expression> items = [];
        bool isTuple = false;
        while (!AtTupleEnd(afterItem: items.Count > 0))
        {
            items.Add(allowConditional ? Parse() : ParseOr());
            if (!tokens.SkipOperator(","))
            {
                break;
            }

            isTuple = true;
        }

        if (!isTuple && items.Count == 1)
        {
            return items[0];
        }

        if (items.Count == 0 && !parenthesized)
        {
            throw new SyntaxError($"Expected an expression, got '{tokens.Current}'", tokens.Current.Line);
        }

        return new TupleLiteral(items, line);
    }

    public Expression ParseOr()
    {
        tokens.Enter();
        Expression left = ParseAnd();
        while (tokens.Current is { Line: var line } && tokens.SkipName("or"))
        {
            left = new Or(left, ParseAnd(), line);
        }

        tokens.Leave();
        return left;
    }

    /// <summary>A primary with its postfixes, the bare argument of a test.</summary>
    public Expression ParsePostfixed() => ParsePostfix(ParsePrimary());

    /// <summary>Filter names with arguments, as in filter blocks: <c>trim | upper</c>.</summary>
    public IReadOnlyList<FilterCall> ParseFilterChain()
    {
        List<FilterCall> filters = [];
        do
        {
            filters.Add(ParseFilter(null));
        }
        while (tokens.SkipOperator("|"));
        return filters;
    }

    /// <summary>Postfixes, filters, tests and calls behind a primary.</summary>
    public Expression ParseUnary(bool withFilters = true)
    {
        tokens.Enter();
        int line = tokens.Current.Line;
        Expression value;
        if (tokens.SkipOperator("-"))
        {
            value = new Unary(Negate: true, ParseUnary(withFilters: false), line);
        }
        else if (tokens.SkipOperator("+"))
        {
            value = new Unary(Negate: false, ParseUnary(withFilters: false), line);
        }
        else
        {
            value = ParsePrimary();
        }

        value = ParsePostfix(value);
        if (withFilters)
        {
            value = ParseFilters(value);
        }

        tokens.Leave();
        return value;
    }

    private bool AtTupleEnd(bool afterItem) =>
        tokens.Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd || tokens.Current.IsOperator(")")
        || (afterItem && tokens.Current.IsName("recursive"));

    private Expression ParseAnd()
    {
        Expression left = ParseNot();
        while (tokens.Current is { Line: var line } && tokens.SkipName("and"))
        {
            left = new And(left, ParseNot(), line);
        }

        return left;
    }

    private Expression ParseNot()
    {
        int line = tokens.Current.Line;
        if (!tokens.SkipName("not"))
        {
            return ParseComparison();
        }

        tokens.Enter();
        Not not = new(ParseNot(), line);
        tokens.Leave();
        return not;
    }

    private Expression ParseComparison()
    {
        int line = tokens.Current.Line;
        Expression first = ParseSum();
        List<(string, Expression)> rest = [];
        while (true)
        {
            string symbol = tokens.Current.Text;
            if (tokens.Current.Kind == TokenKind.Operator && s_comparisons.Contains(symbol))
            {
                tokens.Next();
            }
            else if (tokens.SkipName("in"))
            {
                symbol = "in";
            }
            else if (tokens.Current.IsName("not") && tokens.Peek.IsName("in"))
            {
                tokens.Next();
                tokens.Next();
                symbol = "not in";
            }
            else
            {
                return rest.Count == 0 ? first : new Comparison(first, rest, line);
            }

            rest.Add((symbol, ParseSum()));
        }
    }

    private Expression ParseSum() => ParseChain(ParseConcatenation, ["+", "-"]);

    private Expression ParseConcatenation()
    {
        int line = tokens.Current.Line;
        List<Expression> parts = [ParseProduct()];
        while (tokens.SkipOperator("~"))
        {
            parts.Add(ParseProduct());
        }

        return parts.Count == 1 ? parts[0] : new Concatenation(parts, line);
    }

    private Expression ParseProduct() => ParseChain(ParsePower, ["*", "/", "//", "%"]);

    // Jinja's power binds to the left, unlike Python's.
    private Expression ParsePower() => ParseChain(() => ParseUnary(), ["**"]);

    private Expression ParseChain(Func<Expression> parseOperand, string[] symbols)
    {
        Expression left = parseOperand();
        while (tokens.Current.Kind == TokenKind.Operator && symbols.Contains(tokens.Current.Text))
        {
            Token symbol = tokens.Next();
            left = new Binary(symbol.Text, left, parseOperand(), symbol.Line);
        }

        return left;
    }

    private Expression ParsePrimary()
    {
        Token token = tokens.Next();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return ParseName(token);
            case TokenKind.String:
                string text = token.Text;
                while (tokens.Current.Kind == TokenKind.String)
                {
                    text += tokens.Next().Text;
                }

                return new Literal(text, token.Line);
            case TokenKind.Integer:
                return new Literal(NumberLiteral.ParseInteger(token.Text, token.Line), token.Line);
            case TokenKind.Float:
                return new Literal(NumberLiteral.ParseFloat(token.Text), token.Line);
            case TokenKind.Operator when token.Text == "(":
                Expression tuple = ParseTuple(parenthesized: true);
                tokens.ExpectOperator(")");
                return tuple;
            case TokenKind.Operator when token.Text == "[":
                return new ListLiteral(ParseItems("]", Parse), token.Line);
            case TokenKind.Operator when token.Text == "{":
                return new DictLiteral(ParseItems("}", ParsePair), token.Line);
            case TokenKind.End:
                throw new SyntaxError("unexpected end of template", token.Line);
            default:
                throw new SyntaxError($"Expected an expression, got '{token}'", token.Line);
        }
    }

    private Expression ParseName(Token token)
    {
        switch (token.Text)
        {
            case "true" or "True":
                return new Literal(true, token.Line);
            case "false" or "False":
                return new Literal(false, token.Line);
            case "none" or "None":
                return new Literal(null, token.Line);
            default:
                NameRead(token.Text);
                return new Name(token.Text, token.Line);
        }
    }

    private List<T> ParseItems<T>(string close, Func<T> parseItem)
    {
        List<T> items = [];
        while (!tokens.SkipOperator(close))
        {
            if (items.Count > 0)
            {
                tokens.ExpectOperator(",");
                if (tokens.SkipOperator(close))
                {
                    break;
                }
            }

            items.Add(parseItem());
        }

        return items;
    }

    private (Expression Key, Expression Value) ParsePair()
    {
        Expression key = Parse();
        tokens.ExpectOperator(":");
        return (key, Parse());
    }
}
