using LoraServe.Grammars.Automata;
using LoraServe.Grammars.Gbnf;
using LoraServe.Grammars.Masks;
using LoraServe.Grammars.Patterns;
using LoraServe.Grammars.Rules;
using LoraServe.Grammars.Schemas;

namespace LoraServe.Grammars;

/// <summary>What texts an answer may be. Immutable.</summary>
/// <remarks>
/// A JSON schema, a regular expression, a GBNF grammar and a list of choices all become rules over bytes, and these a machine with a stack. They come
/// from strangers: sizes, counts, nesting and the time that a token costs are bounded, and what is not supported is refused by name.
/// </remarks>
public sealed class Grammar
{
    /// <summary>Most characters of a schema, a pattern, a grammar, or all choices together.</summary>
    public const int MostCharacters = 256 << 10;

    private readonly GrammarProgram _program;

    private Grammar(RuleSet rules) => _program = ProgramBuilder.Build(rules);

    /// <summary>Any JSON object.</summary>
    public static Grammar JsonObject { get; } = new(SchemaReader.AnyObject());

    /// <summary>JSON texts that satisfy a schema.</summary>
    /// <param name="schema">The schema, in JSON.</param>
    /// <exception cref="GrammarException">It is no schema, has keywords that are not supported, or is too large; the message says where.</exception>
    public static Grammar FromJsonSchema(string schema) => new(SchemaReader.Read(Checked(schema, "JSON schema")));

    /// <summary>Texts that a regular expression matches from their beginning to their end.</summary>
    /// <param name="pattern">The expression.</param>
    /// <exception cref="GrammarException">It is not well formed, has what is not supported, or is too large; the message says where.</exception>
    public static Grammar FromRegex(string pattern) => new(PatternReader.ReadRules(Checked(pattern, PatternReader.What)));

    /// <summary>Texts of the rule <c>root</c> of a grammar as llama.cpp writes them.</summary>
    /// <param name="grammar">The grammar.</param>
    /// <exception cref="GrammarException">It is not well formed, begins a rule with itself, or is too large; the message says where.</exception>
    public static Grammar FromGbnf(string grammar) => new(GbnfReader.Read(Checked(grammar, GbnfReader.What)));

    /// <summary>One of some texts.</summary>
    /// <param name="choices">The texts.</param>
    /// <exception cref="GrammarException">There are none, one is empty, or they are too many.</exception>
    public static Grammar FromChoices(IReadOnlyCollection<string> choices)
    {
        ArgumentNullException.ThrowIfNull(choices);
        const string What = "list of choices";
        if (choices.Count == 0 || choices.Any(string.IsNullOrEmpty))
        {
            throw new GrammarException($"{What}: {(choices.Count == 0 ? "it is empty" : "one of them is empty")}; expected texts to choose from.");
        }

        Checked(choices.Sum(choice => (long)choice.Length), What);
        RuleSet rules = new(What, mostDepth: 1);
        rules.Add("the list", Expression.Either([.. choices.Distinct().Select(Expression.Of)]));
        return new Grammar(rules);
    }

    /// <summary>Lays it over the tokens of a model.</summary>
    /// <param name="vocabulary">The tokens.</param>
    public CompiledGrammar Compile(TokenVocabulary vocabulary) => new(_program, vocabulary);

    private static string Checked(string text, string what)
    {
        ArgumentNullException.ThrowIfNull(text);
        Checked(text.Length, what);
        return text;
    }

    private static void Checked(long length, string what)
    {
        if (length > MostCharacters)
        {
            throw new GrammarException($"{what}: it has {length} characters; at most {MostCharacters} are read.");
        }
    }
}
