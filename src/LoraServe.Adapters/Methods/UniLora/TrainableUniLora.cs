using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Methods.UniLora;

/// <summary>Uni-LoRA (Li et al. 2025, arXiv:2506.00799): one short vector of which all modules' factors are made.</summary>
internal sealed class TrainableUniLora : TrainableAdapter
{
    private const double UsualBound = 0.02;
    private readonly UniLoraConfig _config;
    private readonly Parameter _numbers;
    private readonly List<(BaseModule Module, UniLoraPlaces Places)> _sites = [];

    /// <summary>Small random numbers, so that a little changes from the start, as with PEFT; which number an element is, is drawn as PEFT draws it.</summary>
    public TrainableUniLora(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        _config = UniLoraConfig.Read(fields);
        float bound = (float)(fields.Number("init_theta_d_bound") ?? UsualBound);
        bool isSmall = fields.Flag("init_weights", true);
        float[] first = isSmall ? Initialization.Uniform(_config.Length, bound, options.Seed) : Initialization.Normal(_config.Length, 1, options.Seed);
        _numbers = Add(UniLoraReader.NumbersName, [_config.Length], first);
        BaseModule[] targets = TargetedModules.Of(_config.Modules, model);
        IReadOnlyDictionary<string, UniLoraPlaces> drawn = _config.Draw(model);
        _sites.AddRange(targets.Select(module => (module, drawn[module.Path])));
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [.. _sites.Select(site => site.Places.Edit(site.Module, _config.Rank, _numbers.Values))];

    public override void Pull(EditGradients gradients)
    {
        foreach ((BaseModule module, UniLoraPlaces places) in _sites)
        {
            LinearEditGradient change = gradients.At(module.Site)!;
            places.Pull(change.A!.Values, change.B!.Values, _numbers.Gradient);
        }
    }

    public override void Save(string directory) =>
        AdapterWriter.Write(directory, Config, [.. Saved().Select(parameter => parameter.ToTensor()), .. _config.SavesPlaces ? _sites.SelectMany(site => SavedPlaces(site.Module, site.Places)) : []]);

    private protected override void Load(ConfigFields source, AdapterTensors tensors)
    {
        base.Load(source, tensors);
        if (_config.SavesPlaces)
        {
            for (int i = 0; i < _sites.Count; i++)
            {
                BaseModule module = _sites[i].Module;
                _sites[i] = (module, UniLoraReader.Places(tensors, AdapterFiles.PeftPrefix + module.Path, module, _config));
            }
        }
    }

    private Tensor[] SavedPlaces(BaseModule module, UniLoraPlaces places)
    {
        string path = AdapterFiles.PeftPrefix + module.Path;
        (long[] ofA, long[] ofB) = ([_config.Rank, module.Inputs], [module.Outputs, _config.Rank]);
        return
        [
            Tensor.FromBytes($"{path}.unilora_indices_A", ElementType.I32, MemoryMarshal.AsBytes(places.OfA.AsSpan()), ofA),
            Tensor.FromBytes($"{path}.unilora_indices_B", ElementType.I32, MemoryMarshal.AsBytes(places.OfB.AsSpan()), ofB),
            Tensor.FromFloats($"{path}.unilora_scales_A", places.ScalesOfA, ofA),
            Tensor.FromFloats($"{path}.unilora_scales_B", places.ScalesOfB, ofB),
        ];
    }
}
