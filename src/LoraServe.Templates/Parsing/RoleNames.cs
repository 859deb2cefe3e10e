using System.Text.RegularExpressions;

namespace LoraServe.Templates.Parsing;

/// <summary>Finds the roles that a template tells apart: what a tag that speaks of a role compares, lists or maps. Rather one too many than one too few.</summary>
internal static partial class RoleNames
{
    public static IEnumerable<string> In(IReadOnlyList<Token> tokens)
    {
        int begin = 0;
        for (int end = 0; end < tokens.Count; end++)
        {
            if (tokens[end].Kind is TokenKind.BlockBegin or TokenKind.VariableBegin)
            {
                begin = end;
            }
            else if (tokens[end].Kind is TokenKind.BlockEnd or TokenKind.VariableEnd && SpeaksOfRoles(tokens, begin, end))
            {
                for (int i = begin + 1; i < end; i++)
                {
                    if (tokens[i].Kind == TokenKind.String && (IsCompared(tokens, i) || IsListed(tokens, i)) && Name().IsMatch(tokens[i].Text))
                    {
                        yield return tokens[i].Text;
                    }
                }
            }
        }
    }

    private static bool SpeaksOfRoles(IReadOnlyList<Token> tokens, int begin, int end)
    {
        for (int i = begin + 1; i < end; i++)
        {
            if ((tokens[i].Kind == TokenKind.Name && tokens[i].Text.Contains("role", StringComparison.Ordinal)) || tokens[i] is { Kind: TokenKind.String, Text: "role" })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a text stands beside <c>==</c> or <c>!=</c>, or is the key of a map.</summary>
    private static bool IsCompared(IReadOnlyList<Token> tokens, int i) =>
        tokens[i - 1] is { Kind: TokenKind.Operator, Text: "==" or "!=" } || tokens[i + 1] is { Kind: TokenKind.Operator, Text: "==" or "!=" or ":" };

    /// <summary>Whether a text is an element of a list: <c>in ['tool', 'ipython']</c>, but not <c>message['content']</c> or <c>message.get('content')</c>.</summary>
    private static bool IsListed(IReadOnlyList<Token> tokens, int i) => tokens[i + 1] is { Kind: TokenKind.Operator, Text: "," or "]" or ")" }
        && tokens[i - 1] switch
        {
            { Kind: TokenKind.Operator, Text: "," } => true,
            { Kind: TokenKind.Operator, Text: "[" or "(" } => tokens[i - 2].IsName("in") || tokens[i - 2] is { Kind: TokenKind.Operator, Text: not ("]" or ")") },
            _ => false,
        };

    /// <summary>A word, but not one of the fields of a message.</summary>
    [GeneratedRegex("^(?!(?:role|content)$)[a-z][a-z0-9_-]*$")]
    private static partial Regex Name();
}
