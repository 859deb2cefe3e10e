using System.Collections.Immutable;
using LoraServe.Tokenization;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>How a family of models writes tool calls into its answers.</summary>
public abstract class ToolCallForm
{
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

    /// <summary>A reader of one answer.</summary>
    /// <param name="tools">The tools that the conversation comes with.</param>
    /// <param name="ids">The calls' ids.</param>
    public ToolCallReader CreateReader(ToolSet tools, ToolCallIds ids) => new(this, tools, ids);

    /// <summary>Reads what follows an opening.</summary>
    internal abstract CallSyntax Begin(ToolSet tools);
}
