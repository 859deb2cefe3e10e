namespace LoraServe.Adapters.Edits;

/// <summary>What a norm's result goes into.</summary>
public enum NormRole
{
    /// <summary>The layer's attention.</summary>
    Attention,

    /// <summary>The layer's MLP.</summary>
    Mlp,

    /// <summary>The head; of no layer.</summary>
    Final,
}
