using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Adapters.Methods.Training;

/// <summary>Several adapters trained as one, such as LoRA with virtual tokens. Each is saved in a folder of its own; served, they are a stack.</summary>
public sealed class CombinedAdapter : TrainableAdapter
{
    private readonly IReadOnlyList<(string Name, TrainableAdapter Adapter)> _parts;

    /// <summary>Takes over adapters of the same base.</summary>
    /// <param name="model">The base.</param>
    /// <param name="parts">By the names of their folders.</param>
    /// <exception cref="AdapterFormatException">Two of them edit the same place, where a stack of the two would be something else.</exception>
    public CombinedAdapter(IBaseModel model, IReadOnlyList<(string Name, TrainableAdapter Adapter)> parts)
        : base(new JsonObject(), model)
    {
        ArgumentNullException.ThrowIfNull(parts);
        _parts = parts;
        var places = new Dictionary<string, string>();
        foreach ((string name, TrainableAdapter adapter) in parts)
        {
            foreach (string place in adapter.Edits().Select(PlaceOf).Distinct())
            {
                if (!places.TryAdd(place, name))
                {
                    throw new AdapterFormatException($"{places[place]} and {name} both edit {place}, so they cannot be trained together. Give them different targets.");
                }
            }

            foreach (Parameter parameter in adapter.Parameters)
            {
                Add(parameter);
            }

            Config[name] = adapter.Config.DeepClone();
        }
    }

    /// <inheritdoc />
    public override IReadOnlyList<AdapterEdit> Edits() => [.. _parts.SelectMany(part => part.Adapter.Edits())];

    /// <inheritdoc />
    public override IReadOnlyList<AdapterEdit>? EditsAtRest() => _parts.All(part => part.Adapter.EditsAtRest() is null)
        ? null
        : [.. _parts.SelectMany(part => part.Adapter.EditsAtRest() ?? part.Adapter.Edits())];

    /// <inheritdoc />
    public override void Pull(EditGradients gradients)
    {
        foreach ((_, TrainableAdapter adapter) in _parts)
        {
            adapter.Pull(gradients);
        }
    }

    /// <inheritdoc />
    public override double Regularize() => _parts.Sum(part => part.Adapter.Regularize());

    /// <inheritdoc />
    public override void AfterStep(int number)
    {
        foreach ((_, TrainableAdapter adapter) in _parts)
        {
            adapter.AfterStep(number);
        }
    }

    /// <inheritdoc />
    public override void Finish()
    {
        foreach ((_, TrainableAdapter adapter) in _parts)
        {
            adapter.Finish();
        }
    }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, float[]> State => new Dictionary<string, float[]>(_parts.SelectMany(part => part.Adapter.State));

    /// <inheritdoc />
    public override void Restore(IReadOnlyDictionary<string, float[]> state)
    {
        foreach ((_, TrainableAdapter adapter) in _parts)
        {
            adapter.Restore(state);
        }
    }

    internal override IEnumerable<Parameter> Saved() => _parts.SelectMany(part => part.Adapter.Saved());

    /// <summary>Writes each part into a folder of its name.</summary>
    /// <inheritdoc />
    public override void Save(string directory)
    {
        Directory.CreateDirectory(directory);
        foreach ((string name, TrainableAdapter adapter) in _parts)
        {
            adapter.Save(Path.Combine(directory, name));
        }
    }

    /// <inheritdoc />
    public override void Load(string directory)
    {
        foreach ((string name, TrainableAdapter adapter) in _parts)
        {
            adapter.Load(Path.Combine(directory, name));
        }
    }

    private static string PlaceOf(AdapterEdit edit) => edit switch
    {
        ModuleEdit module => module.Site.ToString(),
        NormDelta norm => norm.Site.ToString(),
        Bottleneck bottleneck => $"layer {bottleneck.Layer} after {bottleneck.Place}",
        PromptAttention prompt => $"layer {prompt.Layer}'s own keys and values",
        _ => "the rows ahead of the prompt",
    };
}
