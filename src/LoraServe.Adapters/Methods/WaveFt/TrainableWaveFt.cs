using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.WaveFt;

/// <summary>WaveFT (Bilican et al. 2025, arXiv:2505.12532): a few coefficients of the change's wavelet transform.</summary>
internal sealed class TrainableWaveFt : TrainableUpdates
{
    private const float FirstDeviation = 0.01f;

    /// <summary>Coefficients of zero, drawn where the configuration's init_weights is false.</summary>
    public TrainableWaveFt(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        WaveFtConfig waveFt = WaveFtConfig.Read(fields);
        bool beginsAsBase = fields.Flag("init_weights", true);
        AddUpdates(waveFt.Modules, options.Seed, (module, path, seed) =>
        {
            int count = waveFt.Count(module, model);
            float[]? values = beginsAsBase ? null : Initialization.Normal(count, FirstDeviation, seed);
            return new Update(module, Add($"{path}.waveft_spectrum", [count], values), waveFt.Basis(module, count), waveFt.Scaling);
        });
    }

    private sealed class Update(BaseModule module, Parameter coefficients, WaveletBasis basis, float scaling) : TrainableUpdate(module)
    {
        public override ModuleEdit Edit() => new DenseDelta(Module.Site, WaveFtReader.Change(Module, basis, coefficients.Values, scaling));

        public override void Pull(LinearEditGradient change) => basis.Back(change.Dense!.Matrix(), scaling, coefficients.Gradient);
    }
}
