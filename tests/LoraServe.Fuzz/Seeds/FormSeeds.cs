using System.Text.Json.Nodes;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Fuzz.Seeds;

/// <summary>An adapter of each form that PEFT and AdapterHub save, also of methods that are served and not trained, and one that is made of others.</summary>
internal static class FormSeeds
{
    private const int Hidden = 6;

    /// <summary>The adapters, of <see cref="AdapterBuilder.TinyBase"/>.</summary>
    public static IEnumerable<Seed> All()
    {
        foreach (string name in MethodAdapters.Mergeable.Concat(MethodAdapters.Unmergeable))
        {
            using var folder = new TemporaryDirectory();
            MethodAdapters.Build(name).Write(folder);
            yield return Seed.Read(folder.Path, _ => true)! with { Name = name };
        }

        yield return Mixture("XLORA", isLayerwise: false);
        yield return Mixture("XLORA layerwise", isLayerwise: true);
    }

    /// <summary>X-LoRA: a classifier, and the LoRA adapters that it scales in folders below.</summary>
    private static Seed Mixture(string name, bool isLayerwise)
    {
        string[] targets = ["q_proj", "v_proj"];
        using var folder = new TemporaryDirectory();
        foreach (string inner in (string[])["0", "1"])
        {
            using var made = new TemporaryDirectory();
            new AdapterBuilder().AddPairs(AdapterBuilder.TinyBase, 2, magnitude: false, targets).Write(made);
            Directory.Move(made.Path, folder.File(inner));
            Directory.CreateDirectory(made.Path);
        }

        int width = AdapterBuilder.TinyBase.Width;
        int outputs = 2 * (isLayerwise ? AdapterBuilder.TinyBase.Modules.Count(module => targets.Contains(module.Name)) : 1);
        var random = new Random(3);
        SafetensorsFile.Write(folder.File("adapter_model.safetensors"), [
            Values("layers.0.weight", Hidden, width), Values("layers.0.bias", Hidden), Values("layers.2.weight", outputs, Hidden), Values("layers.2.bias", outputs)]);
        File.WriteAllText(folder.File("adapter_config.json"), new JsonObject
        {
            ["peft_type"] = "XLORA",
            ["hidden_size"] = width,
            ["xlora_depth"] = 2,
            ["xlora_size"] = Hidden,
            ["xlora_dropout_p"] = 0.0,
            ["layerwise_scalings"] = isLayerwise,
            ["top_k_lora"] = 1,
            ["softmax_temperature"] = 0.5,
            ["adapters"] = new JsonObject { ["0"] = "0", ["1"] = "1" },
        }.ToJsonString());
        return Seed.Read(folder.Path, _ => true)! with { Name = name };

        Tensor Values(string tensor, params long[] shape) => Tensor.FromFloats(
            $"base_model.internal_xlora_classifier.{tensor}", [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => random.NextSingle() - 0.5f)], shape);
    }
}
