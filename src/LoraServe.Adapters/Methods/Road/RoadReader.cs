using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Road;

/// <summary>RoAd (Liao and Monz 2024): pairs of a map's outputs, its bias included, go through matrices of rotations and scales.</summary>
internal sealed class RoadReader : ModuleReader
{
    private readonly RoadConfig _config;

    private RoadReader(RoadConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "RoAd";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new RoadReader(RoadConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        int count = _config.Count(module);
        string because = $"{module.Path} has {module.Outputs} outputs in the base";
        BlockRotation rotation = new PairRotation(_config, module.Outputs).Make(
            Tensors.Vector($"{module.Path}.road_theta", count, because), Tensors.Vector($"{module.Path}.road_alpha", count, because));
        RequireFinite(rotation.Changes, $"{module.Path}.road_alpha", "scales of which the rotation is finite");
        edits.OutputRotation = rotation;
        if (edits.Dense is not null)
        {
            // What the file adds to the weight is rotated like the weight.
            TensorPrimitives.Add(edits.Dense.Values, rotation.ChangeOf(edits.Dense).Values, edits.Dense.Values);
        }

        if (module.HasBias)
        {
            edits.AddBias(rotation.ChangeOf(Model.Bias(module)));
        }
    }
}
