using LoraServe.Templates.Expressions;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Statements;

namespace LoraServe.Templates.Parsing;

/// <summary>Parses a template's statements.</summary>
internal sealed partial class Parser
{
    private readonly TokenStream _tokens;
    private readonly ExpressionParser _expressions;
    private readonly Dictionary<string, Block> _blocks = [];

    // For each macro or call block that is open, the names its body has read so far.
    private readonly List<HashSet<string>> _namesRead = [];
    private int _loopDepth;

    public Parser(List<Token> tokens)
    {
        _tokens = new TokenStream(tokens);
        _expressions = new ExpressionParser(_tokens) { NameRead = name => _namesRead.ForEach(names => names.Add(name)) };
    }

    /// <summary>Whether the template says somewhere what the model's own part is.</summary>
    public bool MarksGeneration { get; private set; }

    public TemplateSyntax Parse() => new(ParseBody(null, []), _blocks);

    /// <summary>Statements up to one of the ending tags, of which the name is left as the current token.</summary>
    /// <param name="opener">The tag that is open, null at the top.</param>
    /// <param name="ends">The tags that end it.</param>
    private List<Statement> ParseBody(string? opener, ReadOnlySpan<string> ends)
    {
        _tokens.Enter();
        List<Statement> body = [];
        while (_tokens.Current.Kind != TokenKind.End)
        {
            Token token = _tokens.Next();
            if (token.Kind == TokenKind.Data)
            {
                body.Add(new TextOutput(token.Text, token.Line));
            }
            else if (token.Kind == TokenKind.VariableBegin)
            {
                body.Add(new Print(_expressions.ParseTuple(), token.Line));
                _tokens.Expect(TokenKind.VariableEnd, "end of print statement");
            }
            else
            {
                if (_tokens.Current.Kind == TokenKind.Name && ends.Contains(_tokens.Current.Text))
                {
                    _tokens.Leave();
                    return body;
                }

                body.Add(ParseStatement(opener));
            }
        }

        if (opener is not null)
        {
            throw new SyntaxError(
                $"Unexpected end of template. Jinja was looking for '{string.Join("' or '", ends!)}' to close '{opener}'.",
                _tokens.Current.Line);
        }

        _tokens.Leave();
        return body;
    }

    /// <summary>The body of a tag that has just been read, its end tag included.</summary>
    private List<Statement> ParseBodyAndEnd(string opener)
    {
        EndOfTag();
        List<Statement> body = ParseBody(opener, ["end" + opener]);
        _tokens.Next();
        return body;
    }

    private void EndOfTag() => _tokens.Expect(TokenKind.BlockEnd, "end of statement block");

    private Statement ParseStatement(string? opener)
    {
        Token tag = _tokens.Expect(TokenKind.Name, "tag name");
        Statement statement = tag.Text switch
        {
            "if" => ParseIf(tag.Line),
            "for" => ParseFor(tag.Line),
            "set" => ParseSet(tag.Line),
            "macro" => ParseMacro(tag.Line),
            "call" => ParseCallBlock(tag.Line),
            "filter" => new FilterBlock(_expressions.ParseFilterChain(), OutsideLoops(() => ParseBodyAndEnd("filter")), tag.Line),
            "with" => ParseWith(tag.Line),
            "generation" => ParseGeneration(tag.Line),
            "block" => ParseBlock(tag.Line),
            "autoescape" => new Autoescape(_expressions.Parse(), ParseBodyAndEnd("autoescape"), tag.Line),
            "break" or "continue" => ParseLoopExit(tag),
            "print" => new Print(_expressions.ParseTuple(), tag.Line),
            "include" or "import" or "from" or "extends" => ParseTemplateReference(tag),
            _ => throw new SyntaxError(
                $"Encountered unknown tag '{tag.Text}'." + (opener is null ? "" : $" The innermost tag that is open is '{opener}'."), tag.Line),
        };
        EndOfTag();
        return statement;
    }

    private If ParseIf(int line)
    {
        List<(Expression, IReadOnlyList<Statement>)> branches = [];
        while (true)
        {
            Expression condition = _expressions.ParseTuple(allowConditional: false);
            EndOfTag();
            branches.Add((condition, ParseBody("if", ["elif", "else", "endif"])));
            string end = _tokens.Next().Text;
            if (end == "endif")
            {
                return new If(branches, [], line);
            }

            if (end == "else")
            {
                return new If(branches, ParseElse("if"), line);
            }
        }
    }

    private List<Statement> ParseElse(string opener)
    {
        EndOfTag();
        List<Statement> body = ParseBody(opener, ["end" + opener]);
        _tokens.Next();
        return body;
    }

    private For ParseFor(int line)
    {
        Target target = ParseTargets();
        _tokens.ExpectName("in");
        Expression sequence = _expressions.ParseTuple(allowConditional: false);
        Expression? condition = _tokens.SkipName("if") ? _expressions.Parse() : null;
        bool recursive = _tokens.SkipName("recursive");
        EndOfTag();
        _loopDepth++;
        List<Statement> body = ParseBody("for", ["endfor", "else"]);
        _loopDepth--;
        List<Statement> otherwise = _tokens.Next().Text == "else" ? ParseElse("for") : [];
        return new For(target, sequence, condition, recursive, body, otherwise, line);
    }

    private LoopExit ParseLoopExit(Token tag) => _loopDepth > 0
        ? new LoopExit(tag.Text == "break" ? Completion.Break : Completion.Continue, tag.Line)
        : throw new SyntaxError($"'{tag.Text}' outside loop", tag.Line);

    private Statement ParseSet(int line)
    {
        Target target = ParseTargets(allowNamespace: true);
        if (_tokens.SkipOperator("="))
        {
            return new Set(target, _expressions.ParseTuple(), line);
        }

        IReadOnlyList<FilterCall> filters = _tokens.SkipOperator("|") ? _expressions.ParseFilterChain() : [];
        return new SetBlock(target, filters, OutsideLoops(() => ParseBodyAndEnd("set")), line);
    }

    private Target ParseTargets(bool allowNamespace = false)
    {
        int line = _tokens.Current.Line;
        List<Target> targets = [ParseTarget(allowNamespace)];
        bool isTuple = false;
        while (_tokens.SkipOperator(","))
        {
            isTuple = true;
            if (_tokens.Current.Kind != TokenKind.Name && !_tokens.Current.IsOperator("("))
            {
                break;
            }

            targets.Add(ParseTarget(allowNamespace));
        }

        return isTuple ? new TupleTarget(targets, line) : targets[0];
    }

    private Target ParseTarget(bool allowNamespace)
    {
        int line = _tokens.Current.Line;
        if (_tokens.SkipOperator("("))
        {
            _tokens.Enter();
            Target inner = ParseTargets(allowNamespace);
            _tokens.Leave();
            _tokens.ExpectOperator(")");
            return inner;
        }

        string name = _tokens.Expect(TokenKind.Name, "name").Text;
        if (name is "true" or "false" or "none" or "True" or "False" or "None")
        {
            throw new SyntaxError($"can't assign to '{name}'", line);
        }

        return allowNamespace && _tokens.SkipOperator(".")
            ? new NamespaceTarget(name, _tokens.Expect(TokenKind.Name, "name").Text, line)
            : new NameTarget(name, line);
    }

    private With ParseWith(int line)
    {
        List<(Target, Expression)> assignments = [];
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (assignments.Count > 0)
            {
                _tokens.ExpectOperator(",");
            }

            Target target = ParseTarget(allowNamespace: false);
            _tokens.ExpectOperator("=");
            assignments.Add((target, _expressions.Parse()));
        }

        return new With(assignments, ParseBodyAndEnd("with"), line);
    }

    private Generation ParseGeneration(int line)
    {
        MarksGeneration = true;
        return new Generation(ParseBodyAndEnd("generation"), line);
    }

    private Block ParseBlock(int line)
    {
        string name = _tokens.Expect(TokenKind.Name, "name").Text;
        _tokens.SkipName("scoped");
        _tokens.SkipName("required");
        Block block = new(name, OutsideLoops(() => ParseBodyAndEnd("block")), line);
        if (_tokens.Current.IsName(name))
        {
            _tokens.Next();
        }

        return _blocks.TryAdd(name, block) ? block : throw new SyntaxError($"block '{name}' defined twice", line);
    }

    private TemplateReference ParseTemplateReference(Token tag)
    {
        while (_tokens.Current.Kind is not (TokenKind.BlockEnd or TokenKind.End))
        {
            _tokens.Next();
        }

        return new TemplateReference(tag.Text, tag.Line);
    }

    /// <summary>Bodies that are rendered apart cannot break out of the loop that they are written in.</summary>
    private T OutsideLoops<T>(Func<T> parse)
    {
        int depth = _loopDepth;
        _loopDepth = 0;
        T result = parse();
        _loopDepth = depth;
        return result;
    }
}
