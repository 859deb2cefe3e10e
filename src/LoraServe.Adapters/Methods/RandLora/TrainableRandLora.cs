using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.RandLora;

/// <summary>RandLoRA (Albert et al. 2025, arXiv:2502.00987): scales of random bases that together have full rank and that all modules share.</summary>
internal sealed class TrainableRandLora : TrainableAdapter
{
    private const string SharedPrefix = "base_model.";
    private readonly RandLoraConfig _randLora;
    private readonly List<(BaseModule Module, Parameter Lambda, Parameter Gamma)> _sites = [];
    private readonly bool _savesBases;
    private RandLoraBases _bases;

    /// <summary>Bases drawn from the configuration's seed, as PEFT draws them; λ of zero and γ of one by its longer side.</summary>
    public TrainableRandLora(JsonObject config, IBaseModel model)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        _randLora = RandLoraConfig.Read(fields);
        _savesBases = fields.Flag("save_projection", true);
        BaseModule[] modules = TargetedModules.Of(_randLora.Modules, model);
        (int lesser, int greater) = RandLoraBases.Widths(modules);
        if (_randLora.Rank > greater)
        {
            throw new AdapterFormatException($"r is {_randLora.Rank}; expected at most {greater}, the greatest width of a targeted module.");
        }

        _bases = RandLoraBases.Draw(_randLora, lesser, greater);
        foreach (BaseModule module in modules)
        {
            int width = Math.Min(module.Outputs, module.Inputs);
            int count = _randLora.Bases(width);
            float[] gamma = new float[count * width];
            Array.Fill(gamma, 1f / Math.Max(count, width));
            string path = AdapterFiles.PeftPrefix + module.Path;
            _sites.Add((module, Add($"{path}.randlora_lambda", [_randLora.Rank, count]), Add($"{path}.randlora_gamma", [count, width], gamma)));
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits()
    {
        var edits = new AdapterEdit[_sites.Count];
        Parallel.For(0, edits.Length, i =>
        {
            (BaseModule module, Parameter lambda, Parameter gamma) = _sites[i];
            edits[i] = new DenseDelta(module.Site, _bases.Change(module, lambda.Matrix(), gamma.Matrix(), _randLora.Scale));
        });
        return edits;
    }

    public override void Pull(EditGradients gradients) => Parallel.For(0, _sites.Count, i =>
    {
        (BaseModule module, Parameter lambda, Parameter gamma) = _sites[i];
        _bases.Back(
            module,
            gradients.At(module.Site)!.Dense!.Matrix(),
            (lambda.Matrix(), ByElements(lambda)),
            (gamma.Matrix(), ByElements(gamma)),
            _randLora.Scale);
    });

    /// <summary>PEFT saves the bases at every module once more.</summary>
    internal override IEnumerable<Parameter> Saved() => _savesBases
        ? Parameters.Concat(_sites.Select(site => $"{AdapterFiles.PeftPrefix}{site.Module.Path}.").Prepend(SharedPrefix).SelectMany(SavedBases))
        : Parameters;

    private protected override void Load(ConfigFields source, AdapterTensors tensors)
    {
        base.Load(source, tensors);
        if (tensors.Has(SharedPrefix + RandLoraBases.NameOfA))
        {
            _bases = RandLoraBases.Read(tensors.WithPrefix(SharedPrefix), _randLora, _bases.Lesser, _bases.Greater);
        }
    }

    private IEnumerable<Parameter> SavedBases(string prefix) =>
    [
        new Parameter(prefix + RandLoraBases.NameOfA, [_randLora.Rank, 1, _bases.Lesser], _bases.A.Values),
        new Parameter(prefix + RandLoraBases.NameOfB, [_bases.Greater, _randLora.Bases(_bases.Lesser), _randLora.Rank], _bases.B.Values),
    ];

    private static FloatMatrix ByElements(Parameter parameter) => new(parameter.Shape[0], parameter.Shape[1], parameter.Gradient);
}
