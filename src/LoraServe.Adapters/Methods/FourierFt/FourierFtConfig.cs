using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.FourierFt;

/// <summary>An <c>adapter_config.json</c> of peft_type FOURIERFT.</summary>
internal sealed class FourierFtConfig
{
    private readonly string _file;
    private readonly int _count;
    private readonly ModulePatternMap<int> _counts;

    private FourierFtConfig(ConfigFields fields)
    {
        _file = fields.File;
        _count = fields.Integer("n_frequency", 1) ?? 1000;
        _counts = new ModulePatternMap<int>(fields, "n_frequency_pattern", (name, value) => fields.Integer(name, value, 1));
        Scaling = (float)(fields.Number("scaling") ?? 150);
        Seed = fields.Integer("random_loc_seed", 0) ?? 777;
        fields.RequireUnset("alpha", "frequencies are counted by n_frequency here");
        if (fields.Text("ifft2_norm") is { } norm and not "backward")
        {
            throw new AdapterFormatException($"{_file}: field 'ifft2_norm' is '{norm}'; expected backward.");
        }

        Modules = new TargetConfig(fields, "fourier_only");
        fields.Ignore("init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Factor of the change.</summary>
    public float Scaling { get; }

    /// <summary>What the frequencies are drawn from.</summary>
    public int Seed { get; }

    /// <summary>Which modules are changed.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static FourierFtConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Frequencies that a module has.</summary>
    /// <exception cref="AdapterFormatException">There are not so many.</exception>
    public int Count(BaseModule module)
    {
        int count = _counts.Find(module.Path) ?? _count;
        long all = (long)module.Outputs * module.Inputs;
        return count < all && all < TorchGenerator.PermutationLimit
            ? count
            : throw new AdapterFormatException($"{_file}: n_frequency is {count} at {module.Path}; expected fewer than the {all} elements of its weight, which are to be fewer than {TorchGenerator.PermutationLimit}.");
    }
}
