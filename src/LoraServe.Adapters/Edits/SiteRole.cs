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

    /// <summary>Those three in one map, where the model has them so.</summary>
    QueryKeyValue,

    /// <summary>Attention's output projection.</summary>
    Output,

    /// <summary>The gate of a gated MLP.</summary>
    Gate,

    /// <summary>The MLP's widening projection.</summary>
    Up,

    /// <summary>Those two in one map, where the model has them so.</summary>
    GateUp,

    /// <summary>The MLP's narrowing projection.</summary>
    Down,

    /// <summary>What scores the experts of a layer.</summary>
    Router,

    /// <summary>The gate of one expert's MLP.</summary>
    ExpertGate,

    /// <summary>The widening projection of one expert.</summary>
    ExpertUp,

    /// <summary>The narrowing projection of one expert.</summary>
    ExpertDown,

    /// <summary>The head that makes logits; of no layer.</summary>
    Head,

    /// <summary>The token table; of no layer.</summary>
    Embedding,

    /// <summary>The table of learned positions; of no layer.</summary>
    Positions,
}
