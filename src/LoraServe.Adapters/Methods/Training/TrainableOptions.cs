namespace LoraServe.Adapters.Methods.Training;

/// <summary>What an adapter's training needs to know beside the configuration that is saved.</summary>
public sealed record TrainableOptions
{
    /// <summary>What first values are drawn from.</summary>
    public int Seed { get; init; }

    /// <summary>LoRA+ (Hayou et al. 2024, arXiv:2402.12354): factor of B's learning rate.</summary>
    public float RateRatioOfB { get; init; } = 1;

    /// <summary>Prompt tuning: tokens whose embeddings the virtual ones begin with; none for random ones.</summary>
    public int[] PromptTokens { get; init; } = [];

    /// <summary>Gated LoRA: how gates are learned and pruned.</summary>
    public GateOptions Gates { get; init; } = new();
}
