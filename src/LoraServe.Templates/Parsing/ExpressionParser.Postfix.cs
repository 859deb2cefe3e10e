using System.Globalization;
using LoraServe.Templates.Expressions;
using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Parsing;

/// <content>What stands behind a primary: attributes, subscripts, calls, filters and tests.</content>
internal sealed partial class ExpressionParser
{
    private Expression ParsePostfix(Expression value)
    {
        while (tokens.Current.Kind == TokenKind.Operator)
        {
            int line = tokens.Current.Line;
            if (tokens.SkipOperator("."))
            {
                value = ParseDotted(value, line);
            }
            else if (tokens.SkipOperator("["))
            {
                value = ParseSubscript(value, line);
            }
            else if (tokens.Current.IsOperator("("))
            {
                value = new Call(value, ParseArguments(), line);
            }
            else
            {
                break;
            }
        }

        return value;
    }

    private Expression ParseDotted(Expression target, int line)
    {
        Token token = tokens.Next();
        return token.Kind switch
        {
            TokenKind.Name => new AttributeAccess(target, token.Text, line),
            TokenKind.Integer => new ItemAccess(target, new Literal(NumberLiteral.ParseInteger(token.Text, line), line), line),
            _ => throw new SyntaxError("expected name or number", line),
        };
    }

    private Expression ParseSubscript(Expression target, int line)
    {
        Expression? start = tokens.Current.IsOperator(":") ? null : ParseSubscriptItem();
        if (!tokens.SkipOperator(":"))
        {
            List<Expression> keys = [start!];
            bool isTuple = false;
            while (tokens.SkipOperator(","))
            {
                isTuple = true;
                keys.Add(Parse());
            }

            tokens.ExpectOperator("]");
            return new ItemAccess(target, isTuple ? new TupleLiteral(keys, line) : start!, line);
        }

        Expression? stop = AtSliceEnd() ? null : Parse();
        Expression? step = tokens.SkipOperator(":") && !AtSliceEnd() ? Parse() : null;
        tokens.ExpectOperator("]");
        return new SliceAccess(target, start, stop, step, line);
    }

    private Expression ParseSubscriptItem() => tokens.Current.IsOperator("]")
        ? throw new SyntaxError("expected subscript expression", tokens.Current.Line)
        : Parse();

    private bool AtSliceEnd() => tokens.Current.IsOperator("]") || tokens.Current.IsOperator(":");

    private Expression ParseFilters(Expression value)
    {
        while (true)
        {
            int line = tokens.Current.Line;
            if (tokens.SkipOperator("|"))
            {
                value = ParseFilter(value);
            }
            else if (tokens.SkipName("is"))
            {
                value = ParseTest(value, line);
            }
            else if (tokens.Current.IsOperator("("))
            {
                value = new Call(value, ParseArguments(), line);
            }
            else
            {
                return value;
            }
        }
    }

    private FilterCall ParseFilter(Expression? subject)
    {
        int line = tokens.Current.Line;
        string name = ParseDottedName();
        return new FilterCall(subject, name, tokens.Current.IsOperator("(") ? ParseArguments() : ArgumentList.Empty, line);
    }

    private Expression ParseTest(Expression subject, int line)
    {
        bool negated = tokens.SkipName("not");
        string name = ParseDottedName();
        ArgumentList arguments = ArgumentList.Empty;
        if (tokens.Current.IsOperator("("))
        {
            arguments = ParseArguments();
        }
        else if (StartsArgument(tokens.Current))
        {
            arguments = new ArgumentList([ParsePostfixed()], [], null, null);
        }

        TestCall test = new(subject, name, arguments, line);
        return negated ? new Not(test, line) : test;
    }

    private static bool StartsArgument(Token token) => token.Kind switch
    {
        TokenKind.Name => token.Text is not ("else" or "or" or "and" or "is" or "if" or "in" or "not" or "recursive"),
        TokenKind.String or TokenKind.Integer or TokenKind.Float => true,
        _ => token.IsOperator("[") || token.IsOperator("{"),
    };

    private string ParseDottedName()
    {
        string name = tokens.Expect(TokenKind.Name, "name").Text;
        while (tokens.SkipOperator("."))
        {
            name = string.Create(CultureInfo.InvariantCulture, $"{name}.{tokens.Expect(TokenKind.Name, "name").Text}");
        }

        return name;
    }

    /// <summary>The arguments of a call, the opening parenthesis included.</summary>
    private ArgumentList ParseArguments()
    {
        int line = tokens.Current.Line;
        tokens.ExpectOperator("(");
        List<Expression> positional = [];
        List<(string, Expression)> named = [];
        Expression? star = null;
        Expression? doubleStar = null;
        while (!tokens.SkipOperator(")"))
        {
            if (positional.Count + named.Count > 0 || star is not null || doubleStar is not null)
            {
                tokens.ExpectOperator(",");
                if (tokens.SkipOperator(")"))
                {
                    break;
                }
            }

            bool inOrder = true;
            if (tokens.SkipOperator("*"))
            {
                inOrder = star is null && doubleStar is null;
                star = Parse();
            }
            else if (tokens.SkipOperator("**"))
            {
                inOrder = doubleStar is null;
                doubleStar = Parse();
            }
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Peek.IsOperator("="))
            {
                inOrder = doubleStar is null;
                string name = tokens.Next().Text;
                tokens.Next();
                named.Add((name, Parse()));
            }
            else
            {
                inOrder = named.Count == 0 && star is null && doubleStar is null;
                positional.Add(Parse());
            }

            if (!inOrder)
            {
                throw new SyntaxError("invalid syntax for function call expression", line);
            }
        }

        return new ArgumentList(positional, named, star, doubleStar);
    }
}
