using System.Text.Json.Nodes;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Testing;

/// <summary>Rewrites the folder of a LoRA adapter in other forms that people have.</summary>
public static class AdapterForms
{
    private const string Weights = "adapter_model.safetensors";
    private const string Config = "adapter_config.json";
    private const string Prefix = "base_model.model.";

    /// <summary>Several files of weights and their index, as transformers saves what is large.</summary>
    public static void ToShards(string folder, int count)
    {
        Tensor[] tensors = Take(folder);
        var map = new JsonObject();
        for (int shard = 0; shard < count; shard++)
        {
            string name = $"adapter_model-{shard + 1:00000}-of-{count:00000}.safetensors";
            Tensor[] part = [.. tensors.Where((_, i) => i % count == shard)];
            SafetensorsFile.Write(Path.Combine(folder, name), part);
            Array.ForEach(part, tensor => map[tensor.Name] = name);
        }

        File.WriteAllText(Path.Combine(folder, $"{Weights}.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
    }

    /// <summary>As mlx-lm writes it.</summary>
    public static void ToMlx(string folder)
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, Config)))!;
        int rank = (int)config["r"]!;
        SafetensorsFile.Write(Path.Combine(folder, "adapters.safetensors"), [.. Take(folder).Select(Transposed)]);
        var parameters = new JsonObject { ["rank"] = rank, ["scale"] = (double)config["lora_alpha"]! / rank, ["dropout"] = 0.0 };
        File.WriteAllText(Path.Combine(folder, Config), new JsonObject { ["fine_tune_type"] = "lora", ["num_layers"] = 16, ["lora_parameters"] = parameters }.ToJsonString());
    }

    private static Tensor Transposed(Tensor tensor)
    {
        string name = tensor.Name[Prefix.Length..].Replace(".lora_A.weight", ".lora_a", StringComparison.Ordinal).Replace(".lora_B.weight", ".lora_b", StringComparison.Ordinal);
        (int rows, int columns) = ((int)tensor.Shape[0], (int)tensor.Shape[1]);
        float[] values = tensor.ToFloats();
        return Tensor.FromFloats(name, [.. Enumerable.Range(0, rows * columns).Select(i => values[(i % rows * columns) + (i / rows)])], columns, rows);
    }

    /// <summary>Reads the weights and deletes their file.</summary>
    private static Tensor[] Take(string folder)
    {
        string path = Path.Combine(folder, Weights);
        using var file = SafetensorsFile.Parse(File.ReadAllBytes(path), path);
        File.Delete(path);
        return [.. file.Tensors.Values.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)];
    }
}
