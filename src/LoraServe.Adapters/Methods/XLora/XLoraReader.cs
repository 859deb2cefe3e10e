using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.XLora;

/// <summary>X-LoRA as PEFT stores it: a classifier's tensors, and directories of LoRA adapters.</summary>
internal static class XLoraReader
{
    private const string Name = "X-LoRA";
    private const string Classifier = "internal_xlora_classifier";
    private const string FirstLayer = "layers.0.weight";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(PeftAdapter adapter, IBaseModel model)
    {
        int experts = adapter.Inner.Count;
        XLoraConfig config = XLoraConfig.Read(adapter.Fields, experts, model.Width);
        Dictionary<Site, LowRank>[] pairs = [.. adapter.Inner.Select(inner => Pairs(inner, model))];
        Site[] places = [.. RegistrationOrder.Of(model).Select(module => module.Site).Where(site => pairs.Any(of => of.ContainsKey(site)))];
        List<ModuleEdits> modules = [];
        foreach (BaseModule module in model.Modules.Where(module => places.Contains(module.Site)))
        {
            var edits = new ModuleEdits(module);
            int place = config.IsLayerwise ? Array.IndexOf(places, module.Site) : 0;
            for (int expert = 0; expert < experts; expert++)
            {
                if (pairs[expert].TryGetValue(module.Site, out LowRank? pair))
                {
                    edits.Routed.Add(new RoutedLowRank(module.Site, pair.A, pair.B, pair.Scale * config.Weight, (place * experts) + expert));
                }
            }

            modules.Add(edits);
        }

        ScalingClassifier classifier = ReadClassifier(adapter, config, model.Width, experts, config.IsLayerwise ? places.Length : 1);
        double norm = Math.Sqrt(classifier.Layers.Sum(layer => Math.Pow(layer.Weight.Norm(), 2)));
        return new AdapterContent(Name) { Modules = modules, Placed = [new PlacedEdit(classifier, Classifier, Classifier, norm, HasEffect: false)] };
    }

    private static ScalingClassifier ReadClassifier(PeftAdapter adapter, XLoraConfig config, int width, int experts, int places)
    {
        // PEFT's names say where in the wrapped model it is; a classifier that was saved by itself has none of that.
        string before = adapter.Stored.Keys.FirstOrDefault(name => name.EndsWith($"{Classifier}.{FirstLayer}", StringComparison.Ordinal)) is { } wrapped ? wrapped[..^FirstLayer.Length] : "";
        AdapterTensors tensors = adapter.Tensors.WithPrefix(before);
        List<ClassifierLayer> layers = [];
        for (int depth = 0; depth < config.Depth; depth++)
        {
            bool isLast = depth == config.Depth - 1;
            int outputs = isLast ? places * experts : config.Size;
            string layer = $"layers.{depth * (config.HasDropout ? 3 : 2)}";
            string because = isLast ? $"{experts} adapters{(config.IsLayerwise ? $" at each of {places} modules" : "")}" : "xlora_size in the configuration";
            layers.Add(new ClassifierLayer(tensors.Matrix($"{layer}.weight", outputs, width, because), tensors.Vector($"{layer}.bias", outputs, because)));
            width = outputs;
        }

        tensors.RefuseWhatIsLeft();
        return new ScalingClassifier([.. layers], experts, places)
        {
            Temperature = config.Temperature,
            Most = config.Most,
            NormalisesChosen = config.NormalisesChosen,
            PassValue = config.PassValue,
        };
    }

    /// <summary>The pairs of one of its adapters, of which nothing else may come: what is not a pair has no scaling.</summary>
    private static Dictionary<Site, LowRank> Pairs(PeftAdapter inner, IBaseModel model)
    {
        string type = PeftConfig.Type(inner.Fields);
        if (type != PeftConfig.Lora)
        {
            throw Refused(inner, $"peft_type is {type}");
        }

        AdapterContent content = LoraReader.Read(inner.Fields, inner.Tensors, model);
        if (content.InvocationTokens.Length > 0 || content.Norms.Count > 0 || content.Modules.FirstOrDefault(module => module.Edits().Count() != 1 || module.Pairs.Count != 1) is not null)
        {
            string more = string.Join(", ", content.Modules.SelectMany(module => module.Edits()).Where(edit => edit is not LowRank).Select(edit => edit.GetType().Name).Distinct());
            throw Refused(inner, $"it is {content.Method} and does more than add a pair to modules{(more.Length > 0 ? $" ({more})" : "")}");
        }

        return content.Modules.FirstOrDefault(module => module.Module.Site.Role is SiteRole.Router or SiteRole.ExpertGate or SiteRole.ExpertUp or SiteRole.ExpertDown) is { Module.Path: var routed }
            ? throw Refused(inner, $"it adapts {routed}, which sees only some tokens")
            : content.Modules.ToDictionary(module => module.Module.Site, module => module.Pairs[0]);
    }

    private static AdapterFormatException Refused(PeftAdapter inner, string what) =>
        new($"{inner.Files.ConfigPath}: {what}; expected plain LoRA, which is all that an X-LoRA adapter scales. Convert it to plain LoRA, or serve it by itself.");
}
