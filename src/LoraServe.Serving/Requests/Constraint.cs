namespace LoraServe.Serving.Requests;

/// <summary>What texts an answer may be. Each token is chosen among those that lead to such a text, so an answer that is not cut by its length is one.</summary>
public sealed record Constraint
{
    private Constraint(ConstraintKind kind, IReadOnlyList<string> texts) => (Kind, Texts) = (kind, texts);

    /// <summary>Any JSON object.</summary>
    public static Constraint JsonObject { get; } = new(ConstraintKind.JsonObject, []);

    /// <summary>What it is given as.</summary>
    public ConstraintKind Kind { get; }

    /// <summary>The field of the request that it came in, for refusals; null where that is called as the kind is.</summary>
    public string? Field { get; init; }

    /// <summary>The schema, expression or grammar alone, or the choices.</summary>
    public IReadOnlyList<string> Texts { get; }

    /// <summary>JSON texts that satisfy a schema.</summary>
    /// <param name="schema">The schema, in JSON.</param>
    public static Constraint JsonSchema(string schema) => new(ConstraintKind.JsonSchema, [schema]);

    /// <summary>Texts that a regular expression matches from their beginning to their end.</summary>
    /// <param name="pattern">The expression.</param>
    public static Constraint Regex(string pattern) => new(ConstraintKind.Regex, [pattern]);

    /// <summary>Texts of the rule <c>root</c> of a grammar in llama.cpp's notation (GBNF).</summary>
    /// <param name="grammar">The grammar.</param>
    public static Constraint Grammar(string grammar) => new(ConstraintKind.Grammar, [grammar]);

    /// <summary>One of some texts.</summary>
    /// <param name="choices">The texts.</param>
    public static Constraint Choices(IEnumerable<string> choices) => new(ConstraintKind.Choices, [.. choices]);
}
