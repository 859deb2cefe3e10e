using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Delora;

/// <summary>DeLoRA (Bini et al. 2025, arXiv:2503.18225): directions, and one bound of the change at each linear map.</summary>
internal sealed class TrainableDelora : TrainableUpdates
{
    private readonly List<Parameter> _norms = [];

    /// <summary>B of zero, drawn where the configuration's init_weights is false.</summary>
    public TrainableDelora(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        DeloraConfig delora = DeloraConfig.Read(fields);
        bool beginsAsBase = fields.Flag("init_weights", true);
        AddUpdates(delora.Modules, options.Seed, (module, path, seed) =>
        {
            int rank = delora.Rank(module.Path);
            double[] squares = WeightNorms.Of(model, module).Columns;
            var norms = new Parameter($"{path}.delora_w_norm", [module.Inputs], Array.ConvertAll(squares, square => (float)Math.Sqrt(square)));
            _norms.Add(norms);
            return new Update(
                module,
                Add($"{path}.delora_A", [rank, module.Inputs], Initialization.KaimingUniform(rank, module.Inputs, seed)),
                Add($"{path}.delora_B", [module.Outputs, rank], beginsAsBase ? null : Initialization.KaimingUniform(module.Outputs, rank, seed + 1)),
                Add($"{path}.delora_lambda", [1], [delora.FirstBound(module.Path)]),
                norms);
        });
    }

    /// <inheritdoc />
    internal override IEnumerable<Parameter> Saved() => [.. Parameters, .. _norms];

    private protected override void Load(ConfigFields source, AdapterTensors tensors) => Load(tensors, Saved());

    private sealed class Update(BaseModule module, Parameter a, Parameter b, Parameter bound, Parameter norms) : TrainableUpdate(module)
    {
        private NormalisedPair Pair => new(a.Matrix(), b.Matrix(), bound.Values[0], norms.Values);

        public override ModuleEdit Edit() => Pair.Edit(Module.Site);

        public override void Pull(LinearEditGradient change) => Pair.Pull(change, a.Gradient, b.Gradient, bound.Gradient);
    }
}
