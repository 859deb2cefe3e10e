using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Methods.Shira;

/// <summary>SHiRA (Bhardwaj et al. 2024, arXiv:2406.13175): summands of a few elements of each weight.</summary>
internal sealed class TrainableShira : TrainableUpdates
{
    private readonly List<Update> _updates = [];

    /// <summary>Elements drawn from the configuration's seed, as PEFT draws them; summands of zero where its init_weights is true.</summary>
    public TrainableShira(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        ShiraConfig shira = ShiraConfig.Read(fields);
        bool beginsAsBase = fields.Flag("init_weights", true);
        if (!shira.DrawsMask)
        {
            throw new AdapterFormatException("mask_type is not random; elements that a program chose can be served, not trained. Set it to random.");
        }

        AddUpdates(shira.Modules, options.Seed, (module, path, seed) =>
        {
            DeltaForm.CheckWhole(module);
            int count = shira.Count(module, fields.File);
            Parameter summands = Add($"{path}.shira_weight", [count], beginsAsBase ? null : Initialization.Normal(count, 1, seed));
            int[] places = new TorchGenerator((ulong)shira.Seed).FirstOfPermutation(module.Outputs * module.Inputs, count);
            Array.Sort(places);
            var update = new Update(module, $"{path}.shira_indices", summands) { Places = places };
            _updates.Add(update);
            return update;
        });
    }

    internal override IEnumerable<Parameter> Saved() => [.. Parameters, .. _updates.Select(update => update.SavedPlaces())];

    private protected override void Load(ConfigFields source, AdapterTensors tensors)
    {
        base.Load(source, tensors);
        foreach (Update update in _updates)
        {
            update.Places = ShiraReader.Places(tensors, update.PlacesName, update.Module, update.Places.Length);
        }
    }

    private sealed class Update(BaseModule module, string placesName, Parameter summands) : TrainableUpdate(module)
    {
        public string PlacesName => placesName;

        /// <summary>Offsets into the weight.</summary>
        public required int[] Places { get; set; }

        public override ModuleEdit Edit() => ShiraReader.Edit(Module, Places, summands.Values);

        public override void Pull(LinearEditGradient change)
        {
            for (int i = 0; i < Places.Length; i++)
            {
                summands.Gradient[i] += change.Dense!.Values[Places[i]];
            }
        }

        /// <summary>Rows, then columns.</summary>
        public Parameter SavedPlaces() => new(
            placesName,
            [2, Places.Length],
            [.. Places.Select(place => (float)(place / Module.Inputs)), .. Places.Select(place => (float)(place % Module.Inputs))])
        {
            StoredAs = ElementType.I32,
        };
    }
}
