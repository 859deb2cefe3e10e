namespace LoraServe.Models.Spec;

/// <summary>How rotary position embedding is stretched beyond the context that the model was pretrained with.</summary>
public enum RopeScaling
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Positions are divided by the factor.</summary>
    Linear,

    /// <summary>The base grows with the sequence once it is longer than the original context (dynamic NTK).</summary>
    Dynamic,

    /// <summary>Low frequencies are interpolated, high ones are not, attention is sharpened (https://arxiv.org/abs/2309.00071).</summary>
    Yarn,

    /// <summary>Llama 3.1's: interpolation by wave length with a smooth band between.</summary>
    Llama3,

    /// <summary>A divisor for each frequency, one set for sequences within the original context and one for longer ones (https://arxiv.org/abs/2402.13753).</summary>
    LongRope,
}
