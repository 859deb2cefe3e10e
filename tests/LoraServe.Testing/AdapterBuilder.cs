using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Loading;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing.Plain;

namespace LoraServe.Testing;

/// <summary>Makes PEFT directories with seeded random weights for the tiny base that travels with the repository.</summary>
public sealed class AdapterBuilder
{
    private readonly Random _random = new(7);
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>The tiny base: one layer, tied head.</summary>
    public static PlainModel TinyBase => PlainModel.Open(Repository.Fixture("adapters/hostile/config/valid"));

    /// <summary>The configuration: rank 2, alpha 3, q_proj and v_proj; tests change it.</summary>
    public JsonObject Config { get; } = new()
    {
        ["peft_type"] = "LORA",
        ["r"] = 2,
        ["lora_alpha"] = 3,
        ["target_modules"] = new JsonArray("q_proj", "v_proj"),
    };

    /// <summary>What goes before the names of the tensors.</summary>
    public string Prefix { get; init; } = "base_model.model.";

    /// <summary>Name of the weights file.</summary>
    public string WeightsName { get; init; } = "adapter_model.safetensors";

    /// <summary>Names of the tensors, without the prefix.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Adds a tensor, or puts it in the place of another.</summary>
    public float[] Add(string name, float[] values, params long[] shape)
    {
        _tensors[name] = Tensor.FromFloats($"{Prefix}{name}", values, shape);
        return values;
    }

    /// <summary>Adds integers.</summary>
    public void AddIntegers(string name, int[] values, params long[] shape) =>
        _tensors[name] = Tensor.FromBytes($"{Prefix}{name}", ElementType.I32, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()), shape);

    /// <summary>Puts a tensor back.</summary>
    public void Restore(string name, Tensor tensor) => _tensors[name] = tensor;

    /// <summary>A tensor.</summary>
    public Tensor At(string name) => _tensors[name];

    /// <summary>Values of a tensor.</summary>
    public float[] Values(string name) => _tensors[name].ToFloats();

    /// <summary>Shape of a tensor.</summary>
    public long[] Shape(string name) => [.. _tensors[name].Shape];

    /// <summary>Adds random values.</summary>
    public float[] AddRandom(string name, params long[] shape) =>
        Add(name, [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => (float)(_random.NextDouble() - 0.5))], shape);

    /// <summary>Adds a random pair for a module, DoRA's magnitudes too where asked for.</summary>
    public (FloatMatrix A, FloatMatrix B) AddPair(BaseModule module, int rank, bool magnitude = false)
    {
        bool table = module.Site == Site.Embedding;
        (int outputs, int inputs) = table ? (module.Inputs, module.Outputs) : (module.Outputs, module.Inputs);
        var a = new FloatMatrix(rank, inputs, AddRandom($"{module.Path}.{(table ? "lora_embedding_A" : "lora_A.weight")}", rank, inputs));
        var b = new FloatMatrix(outputs, rank, AddRandom($"{module.Path}.{(table ? "lora_embedding_B" : "lora_B.weight")}", outputs, rank));
        if (magnitude)
        {
            AddRandom($"{module.Path}.lora_magnitude_vector", outputs);
        }

        return (a, b);
    }

    /// <summary>Adds pairs for the modules of these names.</summary>
    public AdapterBuilder AddPairs(IBaseModel model, int rank, bool magnitude, params string[] names)
    {
        foreach (BaseModule module in model.Modules.Where(module => names.Contains(module.Name)))
        {
            AddPair(module, rank, magnitude);
        }

        return this;
    }

    /// <summary>Takes a tensor out again.</summary>
    public void Remove(string name) => _tensors.Remove(name);

    /// <summary>Writes the directory.</summary>
    public string Write(TemporaryDirectory folder)
    {
        SafetensorsFile.Write(Path.Combine(folder.Path, WeightsName), _tensors.Values);
        File.WriteAllText(Path.Combine(folder.Path, "adapter_config.json"), Config.ToJsonString());
        return folder.Path;
    }

    /// <summary>Writes the directory into a folder of its own and loads it on the tiny base, or another.</summary>
    public Adapter Load(AdapterLimits? limits = null, IBaseModel? model = null)
    {
        using var folder = new TemporaryDirectory();
        return AdapterLoader.Load(Write(folder), model ?? TinyBase, limits);
    }
}
