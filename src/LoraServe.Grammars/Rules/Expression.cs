using System.Text;

namespace LoraServe.Grammars.Rules;

/// <summary>What texts a rule has: the one form that schemas, patterns, grammars and choices become.</summary>
internal abstract record Expression
{
    /// <summary>The empty text.</summary>
    public static Expression Empty { get; } = new Sequence([]);

    /// <summary>No text at all.</summary>
    public static Expression None { get; } = new Choice([]);

    public static Expression Of(string text) => new Literal(Encoding.UTF8.GetBytes(text));

    public static Expression Of(CharacterSet characters) => new Characters(characters);

    public static Expression Then(params IReadOnlyList<Expression> parts) => parts.Count == 1 ? parts[0] : new Sequence(parts);

    public static Expression Either(params IReadOnlyList<Expression> alternatives) => alternatives.Count == 1 ? alternatives[0] : new Choice(alternatives);

    public static Expression Optional(Expression body) => new Repeat(body, 0, 1);

    /// <summary>Exactly these bytes.</summary>
    internal sealed record Literal(byte[] Bytes) : Expression;

    /// <summary>One character of a set, in UTF-8.</summary>
    internal sealed record Characters(CharacterSet Set) : Expression;

    /// <summary>One after the other.</summary>
    internal sealed record Sequence(IReadOnlyList<Expression> Parts) : Expression;

    /// <summary>Any one of them.</summary>
    internal sealed record Choice(IReadOnlyList<Expression> Alternatives) : Expression;

    /// <summary>From so many times to so many; without an end where <paramref name="Most"/> is null.</summary>
    internal sealed record Repeat(Expression Body, int Least, int? Most) : Expression;

    /// <summary>What another rule has.</summary>
    internal sealed record Reference(int Rule) : Expression;
}
