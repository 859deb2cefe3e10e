using System.Buffers.Binary;
using System.Text.Json.Nodes;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.EmbeddedBase;

/// <summary>Writes a float32 model with its weights in bfloat16: half the size.</summary>
internal static class Bfloat16Model
{
    private const string Checkpoint = "model.safetensors";
    private static readonly string[] s_files = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"];

    /// <summary>Copies what belongs to the model and rounds its weights.</summary>
    public static void Write(string source, string directory)
    {
        Directory.CreateDirectory(directory);
        foreach (string file in s_files.Where(file => File.Exists(Path.Combine(source, file))))
        {
            File.Copy(Path.Combine(source, file), Path.Combine(directory, file), overwrite: true);
        }

        string config = Path.Combine(directory, s_files[0]);
        JsonNode json = JsonNode.Parse(File.ReadAllText(config))!;
        json["torch_dtype"] = "bfloat16";
        File.WriteAllText(config, json.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true }));
        using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(source, Checkpoint));
        SafetensorsFile.Write(
            Path.Combine(directory, Checkpoint),
            weights.Tensors.Values.Select(tensor => Tensor.FromBytes(tensor.Name, ElementType.BF16, Round(tensor.ToFloats()), tensor.Shape.AsSpan())),
            new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>The upper halves of the values' bits, rounded to nearest, ties to even.</summary>
    private static byte[] Round(float[] values)
    {
        byte[] bytes = new byte[values.Length * sizeof(ushort)];
        for (int i = 0; i < values.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(values[i]);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * sizeof(ushort)), (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
        }

        return bytes;
    }
}
