using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.WaveFt;

/// <summary>An <c>adapter_config.json</c> of peft_type WAVEFT.</summary>
internal sealed class WaveFtConfig
{
    private readonly string _file;
    private readonly int _count;
    private readonly ModulePatternMap<int> _counts;
    private readonly bool _isProportional;
    private readonly int _seed;
    private readonly float[]? _lowPass;
    private readonly Dictionary<(int Outputs, int Inputs, int Count), WaveletBasis> _bases = [];
    private (int Count, long Elements)? _targets;

    private WaveFtConfig(ConfigFields fields)
    {
        _file = fields.File;
        _count = fields.Integer("n_frequency", 1) ?? 2592;
        _counts = new ModulePatternMap<int>(fields, "n_frequency_pattern", (name, value) => fields.Integer(name, value, 1));
        _isProportional = fields.Flag("proportional_parameters", false);
        _seed = fields.Integer("random_loc_seed", 0) ?? 777;
        Scaling = (float)(fields.Number("scaling") ?? 25);
        string family = fields.Text("wavelet_family") ?? "db1";
        if (fields.Flag("use_idwt", true))
        {
            _lowPass = Wavelets.LowPass(family)
                ?? throw new AdapterFormatException($"{_file}: field 'wavelet_family' is '{family}'; expected one of {string.Join(", ", Wavelets.Names)}, with which PEFT can synthesise a weight. Merge the adapter with what it was trained with.");
        }

        Modules = new TargetConfig(fields, "waveft_only");
        fields.Ignore("init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Factor of the change.</summary>
    public float Scaling { get; }

    /// <summary>Which modules are changed.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static WaveFtConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Coefficients that a module has.</summary>
    /// <param name="module">The module.</param>
    /// <param name="model">Its base: counts in proportion to weights are of all that are targeted together.</param>
    /// <exception cref="AdapterFormatException">There are not so many.</exception>
    public int Count(BaseModule module, IBaseModel model)
    {
        long all = Elements(module);
        double count = _isProportional ? Share(module, model) : _counts.Find(module.Path) ?? _count;
        return count <= all && all < TorchGenerator.PermutationLimit
            ? (int)count
            : throw new AdapterFormatException($"{_file}: n_frequency is {count} at {module.Path}; expected at most the {all} elements of its weight, which are to be fewer than {TorchGenerator.PermutationLimit}. Load the adapter on the base it was made for.");
    }

    /// <summary>The basis of a module's changes: of all places in the random order that PEFT draws, those that come first. Modules of one shape share theirs.</summary>
    public WaveletBasis Basis(BaseModule module, int count)
    {
        (int, int, int) key = (module.Outputs, module.Inputs, count);
        return _bases.TryGetValue(key, out WaveletBasis? basis) ? basis : _bases[key] = NewBasis(module, count);
    }

    private WaveletBasis NewBasis(BaseModule module, int count)
    {
        int[] places = new TorchGenerator((ulong)_seed).FirstOfPermutation(module.Outputs * module.Inputs, count);
        return new WaveletBasis(module.Outputs, module.Inputs, Array.ConvertAll(places, place => (place / module.Inputs, place % module.Inputs)), _lowPass);
    }

    // In PEFT's order of operations, since what it comes to is rounded, halves to even.
    private double Share(BaseModule module, IBaseModel model)
    {
        (int count, long elements) = _targets ??= CountTargets(model);
        double ratio = (double)Elements(module) / elements;
        return Math.Max(1, Math.Round(ratio * ((double)_count * count)));
    }

    // A configuration is read for one base.
    private (int Count, long Elements) CountTargets(IBaseModel model)
    {
        BaseModule[] targets = [.. model.Modules.Where(other => !other.Site.IsTable && Modules.Targets.Targets(other))];
        return (targets.Length, targets.Sum(Elements));
    }

    private static long Elements(BaseModule module) => (long)module.Outputs * module.Inputs;
}
