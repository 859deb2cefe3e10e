namespace LoraServe.Adapters.Edits;

/// <summary>What a norm's result goes into.</summary>
public enum NormRole
{
    /// <summary>The layer's attention.</summary>
    Attention,

    /// <summary>The layer's MLP.</summary>
    Mlp,

    /// <summary>The residual stream, from the layer's attention.</summary>
    AfterAttention,

    /// <summary>The residual stream, from the layer's MLP.</summary>
    AfterMlp,

    /// <summary>Attention's scores, as queries: each head by itself, or all of a row's together.</summary>
    Query,

    /// <summary>Attention's scores, as keys: each head by itself, or all of a row's together.</summary>
    Key,

    /// <summary>The head; of no layer.</summary>
    Final,
}
