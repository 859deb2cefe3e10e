using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Peanut;

/// <summary>PEANuT (Zhong et al. 2024, arXiv:2410.01870): a small network that makes the update of the weight itself.</summary>
internal sealed class TrainablePeanut : TrainableUpdates
{
    /// <summary>A network drawn at random whose last layer is zero, or drawn as well where the configuration's init_weights is false.</summary>
    public TrainablePeanut(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        PeanutConfig peanut = PeanutConfig.Read(fields);
        bool beginsAsBase = fields.Flag("init_weights", true);
        int rank = peanut.Rank;
        AddUpdates(peanut.Modules, options.Seed, (module, path, seed) => new Update(
            model,
            module,
            Add($"{path}.peanut_A.weight", [rank, module.Outputs], Initialization.KaimingUniform(rank, module.Outputs, seed)),
            Add($"{path}.peanut_B.weight", [module.Outputs, rank], beginsAsBase ? null : Initialization.KaimingUniform(module.Outputs, rank, seed + 1)),
            Layers(path, "encoders", seed + 2),
            Layers(path, "decoders", seed + 3),
            peanut));

        Parameter[] Layers(string path, string kind, int seed) =>
            [.. Enumerable.Range(0, peanut.Depth).Select(i => Add(PeanutReader.LayerName(path, kind, i), [rank, rank], Initialization.KaimingUniform(rank, rank, unchecked(seed + (i * 1009)))))];
    }

    private sealed class Update(IBaseModel model, BaseModule module, Parameter a, Parameter b, Parameter[] encoders, Parameter[] decoders, PeanutConfig config) : TrainableUpdate(module)
    {
        private readonly PeanutNetwork _network = new([.. encoders.Select(layer => layer.Matrix())], [.. decoders.Select(layer => layer.Matrix())], config.Activation);

        public override ModuleEdit Edit() =>
            new LowRank(Module.Site, _network.Forward(model.MultiplyFromLeft(Module, a.Matrix())), b.Matrix(), config.Scale);

        public override void Pull(LinearEditGradient change)
        {
            Accumulate(b, change.B);
            FloatMatrix byProjected = _network.Backward(change.A!.Matrix(), [.. encoders.Select(layer => layer.Gradient)], [.. decoders.Select(layer => layer.Gradient)]);
            TensorPrimitives.Add(model.MultiplyRows(Module, byProjected).Values, a.Gradient, a.Gradient);
        }
    }
}
