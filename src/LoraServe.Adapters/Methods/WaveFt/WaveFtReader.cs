using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.WaveFt;

/// <summary>WaveFT (Bilican et al. 2025): the change of a weight is the inverse wavelet transform of a few coefficients at random places, or has these as elements.</summary>
internal sealed class WaveFtReader : ModuleReader
{
    private readonly WaveFtConfig _config;

    private WaveFtReader(WaveFtConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "WaveFT";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new WaveFtReader(WaveFtConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The change that coefficients make.</summary>
    public static FloatMatrix Change(BaseModule module, WaveletBasis basis, ReadOnlySpan<float> coefficients, float scaling)
    {
        FloatMatrix change = DeltaForm.Whole(module);
        basis.Synthesize(coefficients, scaling, change);
        return change;
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        int count = _config.Count(module, Model);
        float[] coefficients = Tensors.Vector($"{module.Path}.waveft_spectrum", count, $"n_frequency at {module.Path}");
        FloatMatrix change = Change(module, _config.Basis(module, count), coefficients, _config.Scaling);
        RequireFinite(change, $"{module.Path}.waveft_spectrum", "values of which the change is finite");
        edits.Add(new DenseDelta(module.Site, change));
    }
}
