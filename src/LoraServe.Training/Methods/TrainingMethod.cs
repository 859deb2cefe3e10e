using System.Text.Json.Nodes;
using LoraServe.Adapters;

namespace LoraServe.Training.Methods;

/// <summary>What a method's name means to who trains with it.</summary>
public sealed record TrainingMethod
{
    /// <summary>Its name, such as <c>lora</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it does, in a line.</summary>
    public required string Description { get; init; }

    /// <summary>Where it is from: its number on arXiv.</summary>
    public required string Paper { get; init; }

    /// <summary>The highest learning rate that it usually has with AdamW.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Rank of updates, or a bottleneck's width, that it usually has; null where it has none.</summary>
    public int? Rank { get; init; }

    /// <summary>Modules that it usually adapts, as PEFT names them; none where it does not adapt modules, or always the same.</summary>
    public IReadOnlyList<string> Targets { get; init; } = [];

    /// <summary>LoRA+: factor of B's learning rate.</summary>
    public double RateRatioOfB { get; init; } = 1;

    /// <summary>Whether it is meant for a base that is kept in NF4.</summary>
    public bool QuantisesBase { get; init; }

    /// <summary>Whether it makes a model instead of an adapter.</summary>
    public bool MakesModel { get; init; }

    /// <summary>Whether each module may have a rank of its own, in the configuration's <c>rank_pattern</c>.</summary>
    internal bool HasRankPattern { get; init; }

    /// <summary>Writes the configuration that settings come to, as PEFT or AdapterHub spells it.</summary>
    internal Func<MethodSettings, JsonObject> Configure { get; init; } = _ => new JsonObject();

    /// <summary>Makes an adapter at its first values.</summary>
    internal Func<JsonObject, IBaseModel, TrainableOptions, TrainableAdapter> Create { get; init; } = TrainableMethods.Create;
}
