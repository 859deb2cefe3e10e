using System.Collections.Immutable;
using LoraServe.Tokenization;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>How a family of models writes tool calls into its answers.</summary>
public abstract class ToolCallForm
{
    /// <summary>Calls as JSON objects with nothing around them: what a model whose template knows no tools can be made to write.</summary>
    public static ToolCallForm Plain { get; } = new LlamaCallForm();

    /// <summary>What it is called.</summary>
    public abstract string Name { get; }

    /// <summary>The texts that it is made of besides names and values; an empty one is none.</summary>
    public abstract IReadOnlyList<string> Markers { get; }

    /// <summary>Whether ids of calls are nine letters and digits.</summary>
    internal virtual bool HasShortIds => false;

    /// <summary>The texts that begin calls. None is the beginning of another.</summary>
    internal abstract IReadOnlyList<string> Openings { get; }

    /// <summary>Texts around calls that mean nothing themselves.</summary>
    internal virtual IReadOnlyList<string> Wrappers => [];

    /// <summary>A letter that begins calls where it is the first of an answer; null for none.</summary>
    internal virtual char? First => null;

    /// <summary>Texts that are all in a template which asks for this form, where it cannot be had to write a call.</summary>
    internal virtual IReadOnlyList<string> Signs => Openings;

    /// <summary>The special tokens of a vocabulary that its markers are made of, which an answer must be decoded with to be read.</summary>
    public IReadOnlySet<int> TokensOf(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return Markers.Where(marker => marker.Length > 0).SelectMany(marker => tokenizer.Encode(marker, addSpecialTokens: false)).Where(tokenizer.IsSpecial).ToImmutableHashSet();
    }

    /// <summary>A grammar, in GBNF with JSON schemas within (<c>%json</c>), of answers that call tools and say nothing else.</summary>
    /// <param name="tools">The tools that the conversation comes with.</param>
    /// <param name="names">Those that may be called.</param>
    /// <param name="most">Most calls of one answer.</param>
    public string GrammarOf(ToolSet tools, IEnumerable<string> names, int most)
    {
        ArgumentNullException.ThrowIfNull(tools);
        var grammar = new CallGrammar();
        CallFrame frame = Frame;
        string call = grammar.Rule(CallGrammar.Either(names.Select(name => Spell(grammar, tools.Called(name)))));
        string others = frame.Between is not null && most > 1 ? FormattableString.Invariant($"({frame.Between} {call}){{0,{most - 1}}}") : "";
        return grammar.Of($"{frame.Before} {call} {others} {frame.After}");
    }

    /// <summary>A reader of one answer.</summary>
    /// <param name="tools">The tools that the conversation comes with.</param>
    /// <param name="ids">The calls' ids.</param>
    public ToolCallReader CreateReader(ToolSet tools, ToolCallIds ids) => new(this, tools, ids);

    /// <summary>What stands around calls.</summary>
    internal abstract CallFrame Frame { get; }

    /// <summary>One call as the form has it, in GBNF.</summary>
    internal abstract string Spell(CallGrammar grammar, CalledTool tool);

    /// <summary>Reads what follows an opening.</summary>
    internal abstract CallSyntax Begin(ToolSet tools);
}
