using System.Text.Json.Nodes;
using LoraServe.Compute.Files;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Fuzz.Seeds;

/// <summary>A small model in every form in which weights are codes with scales. What the codes come to does not matter here.</summary>
internal static class PackedSeeds
{
    private const string Weight = ".weight";
    private const int Group = 16;

    /// <summary>The models.</summary>
    public static IEnumerable<Seed> All()
    {
        var random = new Random(5);
        yield return Pack("gptq", new JsonObject { ["quant_method"] = "gptq", ["bits"] = 4, ["group_size"] = Group, ["desc_act"] = true, ["sym"] = false }, (path, values) =>
        [
            Words(random, $"{path}.qweight", values.Columns / 8, values.Rows), Words(random, $"{path}.qzeros", values.Columns / Group, values.Rows / 8), Halves($"{path}.scales", values.Columns / Group, values.Rows),
            Integers($"{path}.g_idx", [.. Enumerable.Range(0, values.Columns).Select(input => input / Group)]),
        ]);
        yield return Pack("awq", new JsonObject { ["quant_method"] = "awq", ["bits"] = 4, ["group_size"] = Group, ["zero_point"] = true, ["version"] = "gemm" }, (path, values) =>
        [
            Words(random, $"{path}.qweight", values.Columns, values.Rows / 8), Words(random, $"{path}.qzeros", values.Columns / Group, values.Rows / 8), Halves($"{path}.scales", values.Columns / Group, values.Rows),
        ]);
        yield return Pack("bnb-4", new JsonObject { ["quant_method"] = "bitsandbytes", ["load_in_4bit"] = true }, NormalFloat);
        yield return Pack("bnb-8", new JsonObject { ["quant_method"] = "bitsandbytes", ["load_in_8bit"] = true }, (path, values) =>
        [
            Codes(random, $"{path}.weight", ElementType.I8, values), Tensor.FromFloats($"{path}.SCB", Enumerable.Repeat(0.5f, values.Rows).ToArray(), values.Rows),
        ]);
        yield return Pack("fp8", new JsonObject { ["quant_method"] = "fp8", ["activation_scheme"] = "dynamic", ["weight_block_size"] = new JsonArray(24, 20) }, (path, values) =>
        [
            Codes(random, $"{path}.weight", ElementType.F8_E4M3, values),
            Tensor.FromFloats($"{path}.weight_scale_inv", Enumerable.Repeat(0.5f, Blocks(values.Rows, 24) * Blocks(values.Columns, 20)).ToArray(), Blocks(values.Rows, 24), Blocks(values.Columns, 20)),
        ]);
    }

    private static Tensor[] NormalFloat(string path, (int Rows, int Columns, float[] Values) values)
    {
        var matrix = Nf4Matrix.Quantize(values.Values, values.Rows, values.Columns);
        var state = new JsonObject { ["quant_type"] = "nf4", ["blocksize"] = 64, ["dtype"] = "bfloat16", ["shape"] = new JsonArray(values.Rows, values.Columns), ["nested_blocksize"] = 256, ["nested_offset"] = matrix.Nested!.Offset };
        byte[] json = System.Text.Encoding.UTF8.GetBytes(state.ToJsonString());
        return
        [
            Bytes($"{path}.weight", matrix.Codes, matrix.Codes.Length, 1), Tensor.FromFloats($"{path}.weight.quant_map", Nf4.Levels, 16), Bytes($"{path}.weight.absmax", matrix.Nested.Codes, matrix.Scales.Length),
            Tensor.FromFloats($"{path}.weight.nested_absmax", matrix.Nested.Maxima, matrix.Nested.Maxima.Length), Tensor.FromFloats($"{path}.weight.nested_quant_map", NestedScales.Map, 256),
            Bytes($"{path}.weight.quant_state.bitsandbytes__nf4", json, json.Length),
        ];
    }

    private static Seed Pack(string name, JsonObject settings, Func<string, (int Rows, int Columns, float[] Values), Tensor[]> pack)
    {
        string source = Repository.Fixture("models/llama-tied");
        using var folder = new TemporaryDirectory();
        using var file = SafetensorsFile.Open(Path.Combine(source, "model.safetensors"));
        SafetensorsFile.Write(folder.File("model.safetensors"), file.Tensors.Values.SelectMany(tensor => tensor.Name.EndsWith("q_proj.weight", StringComparison.Ordinal)
            ? pack(tensor.Name[..^Weight.Length], ((int)tensor.Shape[0], (int)tensor.Shape[1], tensor.ToFloats()))
            : [tensor]));
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "config.json")))!.AsObject();
        config["quantization_config"] = settings;
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());
        return Seed.Read(folder.Path, _ => true)! with { Name = name };
    }

    private static int Blocks(int length, int size) => (length + size - 1) / size;

    private static Tensor Bytes(string name, ReadOnlySpan<byte> bytes, params ReadOnlySpan<long> shape) => Tensor.FromBytes(name, ElementType.U8, bytes, shape);

    private static Tensor Words(Random random, string name, int rows, int columns)
    {
        byte[] bytes = new byte[rows * columns * sizeof(int)];
        random.NextBytes(bytes);
        return Tensor.FromBytes(name, ElementType.I32, bytes, rows, columns);
    }

    private static Tensor Codes(Random random, string name, ElementType type, (int Rows, int Columns, float[] Values) values) =>
        Tensor.FromBytes(name, type, [.. Enumerable.Range(0, values.Rows * values.Columns).Select(_ => (byte)random.Next(0x70))], values.Rows, values.Columns);

    private static Tensor Halves(string name, int rows, int columns) =>
        Tensor.FromBytes(name, ElementType.F16, [.. Enumerable.Repeat(BitConverter.GetBytes((Half)0.01f), rows * columns).SelectMany(bytes => bytes)], rows, columns);

    private static Tensor Integers(string name, int[] values) => Tensor.FromBytes(name, ElementType.I32, [.. values.SelectMany(BitConverter.GetBytes)], values.Length);
}
