using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Hira;

/// <summary>HiRA (Huang et al. 2025): a low-rank product that the weight is multiplied with, element by element.</summary>
internal sealed class TrainableHira : TrainableUpdates
{
    /// <summary>B of zero, drawn where the configuration's init_weights is false.</summary>
    public TrainableHira(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        HiraConfig hira = HiraConfig.Read(fields);
        JsonElement? first = fields.Find("init_weights");
        AddUpdates(hira.Modules, options.Seed, (module, path, seed) =>
        {
            int rank = hira.Rank(module.Path);
            int count = checked(rank * module.Inputs);
            bool beginsAsBase = first is not { ValueKind: JsonValueKind.False };
            float[] a = first is { ValueKind: JsonValueKind.String } ? Initialization.Normal(count, 1f / rank, seed)
                : beginsAsBase ? Initialization.KaimingUniform(rank, module.Inputs, seed)
                : Initialization.Normal(count, 1, seed);
            return new Update(
                model,
                module,
                Add($"{path}.hira_A", [rank, module.Inputs], a),
                Add($"{path}.hira_B", [module.Outputs, rank], beginsAsBase ? null : Initialization.Normal(checked(module.Outputs * rank), 1, seed + 1)));
        });
    }

    private sealed class Update(IBaseModel model, BaseModule module, Parameter a, Parameter b) : TrainableUpdate(module)
    {
        public override ModuleEdit Edit() => new DenseDelta(Module.Site, HiraReader.Change(model, Module, b.Matrix(), a.Matrix()));

        public override void Pull(LinearEditGradient change)
        {
            FloatMatrix d = change.Dense!.Matrix();
            model.MultiplyElements(Module, d);
            MatrixGradient.OfProduct(d, b.Matrix(), a.Matrix(), b.Gradient, a.Gradient);
        }
    }
}
