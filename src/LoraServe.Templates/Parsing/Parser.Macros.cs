using LoraServe.Templates.Expressions;
using LoraServe.Templates.Runtime;
using LoraServe.Templates.Statements;

namespace LoraServe.Templates.Parsing;

/// <content>Macros and call blocks.</content>
internal sealed partial class Parser
{
    private MacroDefinition ParseMacro(int line)
    {
        string name = _tokens.Expect(TokenKind.Name, "name").Text;
        return new MacroDefinition(ParseMacroRest(name, "macro"), line);
    }

    private CallBlock ParseCallBlock(int line)
    {
        HashSet<string> names = [];
        _namesRead.Add(names);
        (List<string> parameters, List<Expression?> defaults) = _tokens.Current.IsOperator("(") ? ParseParameters() : ([], []);
        _namesRead.RemoveAt(_namesRead.Count - 1);
        if (_expressions.ParseUnary() is not Call call)
        {
            throw new SyntaxError("expected call", line);
        }

        return new CallBlock(call, ParseMacroBody("caller", "call", parameters, defaults, names), line);
    }

    private MacroSyntax ParseMacroRest(string name, string tag)
    {
        HashSet<string> names = [];
        _namesRead.Add(names);
        (List<string> parameters, List<Expression?> defaults) = ParseParameters();
        _namesRead.RemoveAt(_namesRead.Count - 1);
        return ParseMacroBody(name, tag, parameters, defaults, names);
    }

    private MacroSyntax ParseMacroBody(string name, string tag, List<string> parameters, List<Expression?> defaults, HashSet<string> names)
    {
        _namesRead.Add(names);
        List<Statement> body = OutsideLoops(() => ParseBodyAndEnd(tag));
        _namesRead.RemoveAt(_namesRead.Count - 1);
        return new MacroSyntax(name, parameters, defaults, body,
            names.Contains("varargs"), names.Contains("kwargs"), names.Contains("caller"));
    }

    private (List<string> Parameters, List<Expression?> Defaults) ParseParameters()
    {
        List<string> parameters = [];
        List<Expression?> defaults = [];
        _tokens.ExpectOperator("(");
        while (!_tokens.SkipOperator(")"))
        {
            if (parameters.Count > 0)
            {
                _tokens.ExpectOperator(",");
            }

            Token name = _tokens.Expect(TokenKind.Name, "name");
            bool hasDefault = _tokens.SkipOperator("=");
            if (!hasDefault && defaults.Count > 0 && defaults[^1] is not null)
            {
                throw new SyntaxError("non-default argument follows default argument", name.Line);
            }

            parameters.Add(name.Text);
            defaults.Add(hasDefault ? _expressions.Parse() : null);
        }

        return (parameters, defaults);
    }
}
