namespace LoraServe.Models.Forward;

/// <summary>What the next step is to compute of one sequence: a chunk of a prompt, one new token, or a text to score.</summary>
public readonly ref struct SegmentRequest
{
    /// <summary>The tokens to compute, at least one. A sequence begins with those of its adapters' virtual rows, see <see cref="VirtualRow.Tokens"/>.</summary>
    public required ReadOnlySpan<int> Tokens { get; init; }

    /// <summary>Position of the first of them: how many tokens of the sequence are in the cache already.</summary>
    public int FirstPosition { get; init; }

    /// <summary>The sequence's pages in order, up to and including those that these tokens go into; the latter belong to this sequence alone.</summary>
    public required ReadOnlySpan<int> Pages { get; init; }

    /// <summary>As many others for the first pass, where an adapter has a classifier: of these the same holds.</summary>
    public ReadOnlySpan<int> ScoutPages { get; init; }

    /// <summary>Tokens of the whole prompt, virtual rows included. A rope whose frequencies depend on the length takes max(prompt length, position + 1) as a row's length.</summary>
    public int PromptLength { get; init; }

    /// <summary>The adapters that act on it, one after another; none for the base model.</summary>
    public ReadOnlySpan<AdapterUse> Adapters { get; init; }

    /// <summary>What is wanted of the result.</summary>
    public SegmentOutput Output { get; init; }

    /// <summary>For <see cref="SegmentOutput.SelectedLogits"/>: the wanted tokens as offsets within <see cref="Tokens"/>, ascending, each once.</summary>
    public ReadOnlySpan<int> OutputRows { get; init; }
}
