using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Sampling;

/// <summary>One token to choose in a step, and the choice.</summary>
internal struct SampleSlot
{
    /// <summary>For whom.</summary>
    public IAnswer Answer;

    /// <summary>Which row of the step's logits.</summary>
    public int Row;

    /// <summary>The choice; −1 where the logits are not numbers, or there is a <see cref="Failure"/>.</summary>
    public int Token;

    /// <summary>Why the answer's constraint leaves nothing to choose; null where it does.</summary>
    public string? Failure;

    /// <summary>Its log-probability; NaN where not asked for.</summary>
    public float LogProbability;

    /// <summary>The most likely tokens; null where not asked for.</summary>
    public TokenProbability[]? Top;
}
