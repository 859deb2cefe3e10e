using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Methods.Shira;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Methods.Supertuning;

/// <summary>Super-Tuning (arXiv:2607.09287): summands of the elements of the greatest magnitude, and in Supra a low-rank pair.</summary>
internal sealed class TrainableSupertuning : TrainableAdapter
{
    private readonly SupertuningConfig _config;
    private readonly List<Element> _sites = [];

    /// <summary>Summands of zero and a pair whose B is zero, drawn where the configuration's init_weights is false.</summary>
    public TrainableSupertuning(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        _config = SupertuningConfig.Read(fields);
        if (!fields.Flag("save_precomputed_indices", true))
        {
            throw new AdapterFormatException("save_precomputed_indices is false; what is trained here saves which elements it changes. Leave it out.");
        }

        bool beginsAsBase = fields.Flag("init_weights", true);
        foreach (BaseModule module in TargetedModules.Of(_config.Modules, model))
        {
            DeltaForm.CheckWhole(module);
            (string path, int seed) = (AdapterFiles.PeftPrefix + module.Path, unchecked(options.Seed + (3 * _sites.Count)));
            int count = _config.Count(module, fields.File);
            Parameter summands = Add($"{path}.supertuning_values", [count], beginsAsBase ? null : Initialization.Normal(count, 1, seed));
            (Parameter, Parameter)? pair = _config.Rank is not { } rank ? null : (
                Add($"{path}.supertuning_lora_A.weight", [rank, module.Inputs], Initialization.KaimingUniform(rank, module.Inputs, seed + 1)),
                Add($"{path}.supertuning_lora_B.weight", [module.Outputs, rank], beginsAsBase ? null : Initialization.KaimingUniform(module.Outputs, rank, seed + 2)));
            _sites.Add(new Element(module, $"{path}.supertuning_indices", summands, pair) { Places = Choose(module, count) });
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [.. _sites.SelectMany(Edits)];

    public override void Pull(EditGradients gradients)
    {
        foreach (Element site in _sites)
        {
            LinearEditGradient change = gradients.At(site.Module.Site)!;
            for (int i = 0; i < site.Places.Length; i++)
            {
                site.Summands.Gradient[i] += change.Dense!.Values[site.Places[i]];
            }

            Accumulate(site.Pair?.A, change.A);
            Accumulate(site.Pair?.B, change.B);
        }
    }

    public override void Save(string directory) => AdapterWriter.Write(directory, Config, Saved().Select(parameter => parameter.ToTensor()).Concat(_sites.Select(site =>
        Tensor.FromBytes(site.PlacesName, ElementType.I32, MemoryMarshal.AsBytes(site.Places.AsSpan()), site.Places.Length))));

    private protected override void Load(ConfigFields source, AdapterTensors tensors)
    {
        base.Load(source, tensors);
        foreach (Element site in _sites)
        {
            site.Places = SupertuningReader.Places(tensors, site.PlacesName, site.Module, site.Places.Length);
        }
    }

    private IEnumerable<AdapterEdit> Edits(Element site)
    {
        yield return ShiraReader.Edit(site.Module, site.Places, site.Summands.Values);
        if (site.Pair is var (a, b))
        {
            yield return new LowRank(site.Module.Site, a.Matrix(), b.Matrix(), _config.Scale);
        }
    }

    /// <summary>The elements of the greatest magnitude, or the least; of equal ones those that come first.</summary>
    private int[] Choose(BaseModule module, int count)
    {
        float[] keys = Array.ConvertAll(Model.Weight(module).Values, value => _config.SelectsGreatest ? -Math.Abs(value) : Math.Abs(value));
        int[] places = [.. Enumerable.Range(0, keys.Length).OrderBy(place => keys[place]).Take(count)];
        Array.Sort(places);
        return places;
    }

    /// <summary>What is trained at one linear map.</summary>
    private sealed record Element(BaseModule Module, string PlacesName, Parameter Summands, (Parameter A, Parameter B)? Pair)
    {
        /// <summary>Offsets into the weight.</summary>
        public required int[] Places { get; set; }
    }
}
