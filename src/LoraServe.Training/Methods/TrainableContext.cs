using LoraServe.Adapters;

namespace LoraServe.Training.Methods;

/// <summary>What an adapter's making needs to know beside the job's settings.</summary>
/// <param name="Model">The base.</param>
public sealed record TrainableContext(IBaseModel Model)
{
    /// <summary>What the adapter's files say they are made for; null for nothing.</summary>
    public string? BaseName { get; init; }

    /// <summary>Steps of the run: AdaLoRA's schedule spans them.</summary>
    public int TotalSteps { get; init; } = 1;

    /// <summary>Turns the text that prompt tuning begins with into tokens; null where the model has no tokenizer.</summary>
    public Func<string, IReadOnlyList<int>>? Tokenize { get; init; }
}
