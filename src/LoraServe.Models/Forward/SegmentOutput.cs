namespace LoraServe.Models.Forward;

/// <summary>What a segment's rows are computed for, beyond filling the cache.</summary>
public enum SegmentOutput
{
    /// <summary>Nothing: more of the prompt follows in a later step.</summary>
    None,

    /// <summary>The logits after the last token.</summary>
    LastLogits,

    /// <summary>The logits after every token.</summary>
    AllLogits,

    /// <summary>The logits after the tokens in <see cref="SegmentRequest.OutputRows"/>.</summary>
    SelectedLogits,

    /// <summary>The last hidden states, after the final norm, of every token, and no logits.</summary>
    AllHidden,
}
