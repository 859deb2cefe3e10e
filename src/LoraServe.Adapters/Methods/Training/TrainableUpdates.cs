using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Training;

/// <summary>A method that trains a change of each targeted linear map, and nothing beside these.</summary>
internal abstract class TrainableUpdates : TrainableAdapter
{
    private const int SeedsPerUpdate = 8;
    private readonly List<TrainableUpdate> _updates = [];

    private protected TrainableUpdates(JsonObject config, IBaseModel model)
        : base(config, model)
    {
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [.. _updates.Select(update => update.Edit())];

    public override void Pull(EditGradients gradients)
    {
        foreach (TrainableUpdate update in _updates)
        {
            update.Pull(gradients.At(update.Module.Site)!);
        }
    }

    /// <summary>Makes the updates.</summary>
    /// <param name="targets">Which modules they are of.</param>
    /// <param name="create">Makes one, given the module, the path that names of its tensors begin with, and a seed of its own.</param>
    /// <param name="seed">What the seeds begin with.</param>
    /// <exception cref="AdapterFormatException">The base has no such module, or the configuration asks for more than updates.</exception>
    private protected void AddUpdates(TargetConfig targets, int seed, Func<BaseModule, string, int, TrainableUpdate> create)
    {
        foreach (BaseModule module in TargetedModules.Of(targets, Model))
        {
            _updates.Add(create(module, AdapterFiles.PeftPrefix + module.Path, unchecked(seed + (_updates.Count * SeedsPerUpdate))));
        }
    }
}
