namespace LoraServe.Adapters.Edits;

/// <summary>What a linear layer does in the model, whatever its architecture calls it.</summary>
public enum SiteRole
{
    /// <summary>Attention's query projection.</summary>
    Query,

    /// <summary>Attention's key projection.</summary>
    Key,

    /// <summary>Attention's value projection.</summary>
    Value,

    /// <summary>Attention's output projection.</summary>
    Output,

    /// <summary>The gate of a gated MLP.</summary>
    Gate,

    /// <summary>The MLP's widening projection.</summary>
    Up,

    /// <summary>The MLP's narrowing projection.</summary>
    Down,

    /// <summary>The head that makes logits; of no layer.</summary>
    Head,

    /// <summary>The token table; of no layer.</summary>
    Embedding,
}
