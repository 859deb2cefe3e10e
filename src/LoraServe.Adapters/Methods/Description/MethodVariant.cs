using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Description;

/// <summary>A method as users ask for it by name: what the name means to who trains with it.</summary>
public sealed record MethodVariant
{
    /// <summary>Its name, such as <c>lora</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Other names that people write.</summary>
    public IReadOnlyList<string> OtherNames { get; init; } = [];

    /// <summary>What it is listed with.</summary>
    public required MethodKind Kind { get; init; }

    /// <summary>What it does, in a line.</summary>
    public required string Description { get; init; }

    /// <summary>Where it is from: its number on arXiv, or else OpenReview's.</summary>
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
    public bool HasRankPattern { get; init; }

    /// <summary>Whether the rank can grow while it is trained, at linear maps.</summary>
    public bool GrowsRank { get; init; }

    /// <summary>The method.</summary>
    internal Method Method { get; init; } = new();

    /// <summary>Writes the configuration that settings come to, as PEFT or AdapterHub spells it.</summary>
    internal Func<VariantSettings, JsonObject> Configuration { get; init; } = _ => [];

    /// <summary>Makes what is trained, where that is not what the method's others train.</summary>
    internal MethodTrainer? Train { get; init; }

    /// <summary>The configuration of an adapter that is about to be trained: a new one's, or that of the adapter to go on from.</summary>
    /// <param name="settings">What is wanted.</param>
    /// <exception cref="AdapterFormatException">A setting does not fit the method or the base, or the adapter to go on from is damaged or of another method.</exception>
    public JsonObject Configure(MethodSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        JsonObject config = Configuration(new VariantSettings(this, settings));
        return settings.GoesOnFrom is null || MakesModel ? config : Saved(settings.GoesOnFrom, config, settings);
    }

    /// <summary>Makes an adapter at its first values, or those of the adapter that it goes on from.</summary>
    /// <param name="settings">What is wanted.</param>
    /// <param name="options">What else training needs to know.</param>
    /// <exception cref="AdapterFormatException">A setting does not fit the method or the base, or the adapter to go on from does not.</exception>
    public TrainableAdapter Create(MethodSettings settings, TrainableOptions options)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(options);
        if (settings.Fields?.FirstOrDefault(entry => entry.Key.EndsWith("dropout", StringComparison.Ordinal) && entry.Value?.ToJsonString() is not ("0" or "0.0")) is { Key: { } dropout })
        {
            throw new AdapterFormatException($"{dropout} is set; training has no dropout. Leave it out.");
        }

        TrainableAdapter adapter = (Train ?? Method.Train!)(Configure(settings), settings.Model, options);
        if (settings.GoesOnFrom is { } directory)
        {
            adapter.Load(directory);
        }

        return adapter;
    }

    private JsonObject Saved(string directory, JsonObject wanted, MethodSettings settings)
    {
        using var adapter = PeftAdapter.Open(directory, new AdapterLimits(), settings.Model);
        string type = PeftConfig.Type(adapter.Fields);
        if (type != Method.Type)
        {
            throw new AdapterFormatException(
                $"{adapter.Files.ConfigPath}: peft_type is {type}; expected {Method.Type}, as the method has. Name the adapter's own method, or begin with a new one.");
        }

        var saved = JsonObject.Create(adapter.Config)!;
        Method.GoOn?.Invoke(saved, wanted, settings);
        return saved;
    }
}
