using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Beft;

/// <summary>BEFT (2025, arXiv:2509.15974): a summand of each output of the targeted maps.</summary>
internal sealed class TrainableBeft : TrainableUpdates
{
    /// <summary>Zeros, drawn where the configuration's init_weights is false.</summary>
    public TrainableBeft(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        BeftConfig beft = BeftConfig.Read(fields);
        bool beginsAsBase = fields.Flag("init_weights", true);
        AddUpdates(beft.Modules, options.Seed, (module, path, seed) =>
            new Update(module, Add($"{path}.beft_bias", [1, module.Outputs], beginsAsBase ? null : Initialization.Normal(module.Outputs, 1, seed), decays: false)));
    }

    private sealed class Update(BaseModule module, Parameter bias) : TrainableUpdate(module)
    {
        public override ModuleEdit Edit() => new BiasDelta(Module.Site, bias.Values);

        public override void Pull(LinearEditGradient change) => Accumulate(bias, change.Bias);
    }
}
