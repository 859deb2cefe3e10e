using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.FourierFt;

/// <summary>FourierFT (Gao et al. 2024): the change of a weight is the inverse Fourier transform of a few coefficients at random frequencies.</summary>
internal sealed class FourierFtReader : ModuleReader
{
    private readonly FourierFtConfig _config;
    private readonly Dictionary<(int Outputs, int Inputs, int Count), FourierBasis> _bases = [];

    private FourierFtReader(FourierFtConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "FourierFT";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new FourierFtReader(FourierFtConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The frequencies that PEFT draws for a module: of all in random order, those that come first.</summary>
    public static FourierBasis Basis(FourierFtConfig config, int outputs, int inputs, int count)
    {
        int[] places = new TorchGenerator((ulong)config.Seed).FirstOfPermutation(outputs * inputs, count);
        return new FourierBasis(outputs, inputs, Array.ConvertAll(places, place => (place / inputs, place % inputs)));
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        int count = _config.Count(module);
        float[] spectrum = Tensors.Vector($"{module.Path}.fourierft_spectrum", count, $"n_frequency at {module.Path}");
        (int, int, int) key = (module.Outputs, module.Inputs, count);
        if (!_bases.TryGetValue(key, out FourierBasis? basis))
        {
            _bases[key] = basis = Basis(_config, module.Outputs, module.Inputs, count);
        }

        FloatMatrix change = basis.Synthesize(spectrum, _config.Scaling);
        RequireFinite(change, $"{module.Path}.fourierft_spectrum", "values of which the change is finite");
        edits.Add(new DenseDelta(module.Site, change));
    }
}
