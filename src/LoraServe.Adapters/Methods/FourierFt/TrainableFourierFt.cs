using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.FourierFt;

/// <summary>FourierFT (Gao et al. 2024, arXiv:2405.03003): a few coefficients of the change's Fourier transform.</summary>
internal sealed class TrainableFourierFt : TrainableAdapter
{
    private readonly FourierFtConfig _fourier;
    private readonly List<(BaseModule Module, Parameter Spectrum, FourierBasis Basis)> _sites = [];

    /// <summary>Coefficients of zero, or where the configuration does not want its own first values, as usual with PEFT, normal ones.</summary>
    public TrainableFourierFt(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        _fourier = FourierFtConfig.Read(fields);
        bool begins = fields.Flag("init_weights", false);
        var bases = new Dictionary<(int, int, int), FourierBasis>();
        foreach (BaseModule module in TargetedModules.Of(_fourier.Modules, model))
        {
            int count = _fourier.Count(module);
            (int, int, int) key = (module.Outputs, module.Inputs, count);
            if (!bases.TryGetValue(key, out FourierBasis? basis))
            {
                bases[key] = basis = FourierFtReader.Basis(_fourier, module.Outputs, module.Inputs, count);
            }

            float[]? values = begins ? null : Initialization.Normal(count, 1, unchecked(options.Seed + _sites.Count));
            _sites.Add((module, Add($"{AdapterFiles.PeftPrefix}{module.Path}.fourierft_spectrum", [count], values), basis));
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits()
    {
        var edits = new AdapterEdit[_sites.Count];
        Parallel.For(0, edits.Length, i => edits[i] = new DenseDelta(_sites[i].Module.Site, _sites[i].Basis.Synthesize(_sites[i].Spectrum.Values, _fourier.Scaling)));
        return edits;
    }

    public override void Pull(EditGradients gradients) => Parallel.For(0, _sites.Count, i =>
    {
        (BaseModule module, Parameter spectrum, FourierBasis basis) = _sites[i];
        basis.Back(gradients.At(module.Site)!.Dense!.Matrix(), _fourier.Scaling, spectrum.Gradient);
    });
}
