using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Compute;
using LoraServe.Compute.Files;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Tensors;
using LoraServe.Cpu;
using LoraServe.Models.Config;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Loading;

/// <summary>Checkpoints whose linear maps are stored as codes with scales, made here and held against plain arithmetic on the codes.</summary>
public sealed class PackedFormsTests : IDisposable
{
    private const string Linear = ".q_proj.weight";
    private static readonly int[] s_awqOrder = [0, 2, 4, 6, 1, 3, 5, 7];
    private readonly TemporaryDirectory _folder = TemporaryDirectory.CopyOf(Repository.Fixture("models/llama-tied"));
    private readonly Random _random = new(17);
    private readonly List<(string Path, float[] Values)> _expected = [];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, "float32")]
    [InlineData(true, "float32")]
    [InlineData(true, "bfloat16")]
    [InlineData(false, "float16")]
    public void BitsAndBytesFourBits_AreLevelsTimesScales(bool nested, string dtype)
    {
        Pack(new JsonObject { ["quant_method"] = "bitsandbytes", ["load_in_4bit"] = true }, (path, values, outputs, inputs) =>
        {
            var matrix = Nf4Matrix.Quantize(values, outputs, inputs, nested);
            float[] dequantised = [.. Enumerable.Range(0, values.Length).Select(i => Round(Nf4.Levels[Code(matrix, i)] * matrix.Scales[i / 64], dtype))];
            var state = new JsonObject { ["quant_type"] = "nf4", ["blocksize"] = 64, ["dtype"] = dtype, ["shape"] = new JsonArray(outputs, inputs) };
            List<Tensor> parts =
            [
                Bytes($"{path}.weight", matrix.Codes, matrix.Codes.Length, 1),
                Tensor.FromFloats($"{path}.weight.quant_map", Nf4.Levels, 16),
                nested ? Bytes($"{path}.weight.absmax", matrix.Nested!.Codes, matrix.Scales.Length) : Tensor.FromFloats($"{path}.weight.absmax", matrix.Scales, matrix.Scales.Length),
            ];
            if (nested)
            {
                (state["nested_blocksize"], state["nested_offset"]) = (256, matrix.Nested!.Offset);
                parts.Add(Tensor.FromFloats($"{path}.weight.nested_absmax", matrix.Nested.Maxima, matrix.Nested.Maxima.Length));
                parts.Add(Tensor.FromFloats($"{path}.weight.nested_quant_map", NestedScales.Map, 256));
            }

            byte[] json = System.Text.Encoding.UTF8.GetBytes(state.ToJsonString());
            return ([.. parts, Bytes($"{path}.weight.quant_state.bitsandbytes__nf4", json, json.Length)], dequantised);
        });

        AssertLoads();
    }

    [SkippableFact]
    public void BitsAndBytesFourBits_AsBitsAndBytesSavedThem_AreWhatItDequantisesThemTo()
    {
        using var layer = SafetensorsFile.Open(SharedFiles.Require("fixtures/quant/serialised-nf4.safetensors"));
        var parts = layer.Tensors.Values.Where(tensor => tensor.Name != "dequantized").ToDictionary(tensor => tensor.Name);

        Tensor? weight = new Models.Loading.Packed.BitsAndBytesFourBits().Read("layer", new Models.Loading.Packed.PackedParts(parts, "file"));

        Assert.Equal(layer.Tensors["dequantized"].ToFloats(), weight!.ToFloats());
    }

    [Fact]
    public void BitsAndBytesEightBits_AreCodesTimesTheGreatestOfTheRow()
    {
        Pack(new JsonObject { ["quant_method"] = "bitsandbytes", ["load_in_8bit"] = true }, (path, values, outputs, inputs) =>
        {
            float[] greatest = [.. Enumerable.Range(0, outputs).Select(row => values.AsSpan(row * inputs, inputs).ToArray().Max(MathF.Abs))];
            sbyte[] codes = [.. values.Select((value, i) => (sbyte)MathF.Round(value * 127 / greatest[i / inputs]))];
            return ([Tensor.FromBytes($"{path}.weight", ElementType.I8, System.Runtime.InteropServices.MemoryMarshal.AsBytes(codes.AsSpan()), outputs, inputs), Tensor.FromFloats($"{path}.SCB", greatest, outputs)],
                [.. codes.Select((code, i) => code * greatest[i / inputs] / 127)]);
        });

        AssertLoads();
    }

    [Theory]
    [InlineData(4, 16, false, false)]
    [InlineData(4, 16, true, true)]
    [InlineData(4, -1, false, false)]
    [InlineData(8, 32, false, true)]
    [InlineData(2, 8, true, false)]
    public void Gptq_IsScaleTimesCodeLessZero(int bits, int groupSize, bool second, bool sorted)
    {
        var settings = new JsonObject { ["quant_method"] = "gptq", ["bits"] = bits, ["group_size"] = groupSize, ["desc_act"] = sorted, ["sym"] = false, ["checkpoint_format"] = second ? "gptq_v2" : "gptq" };
        Pack(settings, (path, _, outputs, inputs) =>
        {
            (int perWord, int most) = (32 / bits, (1 << bits) - 1);
            int groups = groupSize > 0 ? inputs / groupSize : 1;
            int[] groupOf = [.. Enumerable.Range(0, inputs).Select(input => sorted ? input % groups : groupSize > 0 ? input / groupSize : 0)];
            int[,] codes = Codes(inputs, outputs, most);
            int[,] zeros = Codes(groups, outputs, most);
            float[] scales = Scales(groups * outputs);
            uint[] packed = new uint[inputs / perWord * outputs];
            uint[] packedZeros = new uint[groups * outputs / perWord];
            foreach ((int input, int output) in Places(inputs, outputs))
            {
                packed[(input / perWord * outputs) + output] |= (uint)codes[input, output] << (input % perWord * bits);
            }

            foreach ((int group, int output) in Places(groups, outputs))
            {
                packedZeros[(group * outputs / perWord) + (output / perWord)] |= (uint)((zeros[group, output] - (second ? 0 : 1)) & most) << (output % perWord * bits);
            }

            List<Tensor> parts =
            [
                Words($"{path}.qweight", packed, inputs / perWord, outputs), Words($"{path}.qzeros", packedZeros, groups, outputs / perWord), HalfScales($"{path}.scales", scales, groups, outputs),
            ];
            if (sorted)
            {
                parts.Add(Words($"{path}.g_idx", [.. groupOf.Select(group => (uint)group)], inputs));
            }

            return ([.. parts], [.. Places(outputs, inputs).Select(at => scales[(groupOf[at.Second] * outputs) + at.First] * (codes[at.Second, at.First] - zeros[groupOf[at.Second], at.First]))]);
        });

        AssertLoads();
    }

    [Theory]
    [InlineData(16)]
    [InlineData(-1)]
    public void Awq_IsScaleTimesCodeLessZero_InTheOrderOfItsKernels(int groupSize)
    {
        Pack(new JsonObject { ["quant_method"] = "awq", ["bits"] = 4, ["group_size"] = groupSize, ["zero_point"] = true, ["version"] = "gemm" }, (path, _, outputs, inputs) =>
        {
            int size = groupSize > 0 ? groupSize : inputs;
            int groups = inputs / size;
            int[,] codes = Codes(inputs, outputs, 15);
            int[,] zeros = Codes(groups, outputs, 15);
            float[] scales = Scales(groups * outputs);
            return ([Words($"{path}.qweight", Packed(codes), inputs, outputs / 8), Words($"{path}.qzeros", Packed(zeros), groups, outputs / 8), HalfScales($"{path}.scales", scales, groups, outputs)],
                [.. Places(outputs, inputs).Select(at => scales[(at.Second / size * outputs) + at.First] * (codes[at.Second, at.First] - zeros[at.Second / size, at.First]))]);
        });

        AssertLoads();

        static uint[] Packed(int[,] codes) => [.. Places(codes.GetLength(0), codes.GetLength(1) / 8).Select(at => Word(codes, at.First, at.Second))];

        static uint Word(int[,] codes, int input, int column) =>
            Enumerable.Range(0, 8).Aggregate(0u, (word, nibble) => word | ((uint)codes[input, (column * 8) + s_awqOrder[nibble]] << (nibble * 4)));
    }

    [Theory]
    [InlineData("blocks", "weight_scale_inv")]
    [InlineData("outputs", "weight_scale")]
    [InlineData("one", "weight_scale")]
    public void Fp8_IsWeightTimesScale(string scaled, string part)
    {
        var settings = new JsonObject { ["quant_method"] = "fp8", ["activation_scheme"] = "dynamic", ["weight_block_size"] = scaled == "blocks" ? new JsonArray(24, 20) : null };
        Pack(settings, (path, _, outputs, inputs) =>
        {
            byte[] codes = [.. Enumerable.Range(0, outputs * inputs).Select(_ => (byte)_random.Next(0x70) | (_random.Next(2) << 7)).Select(code => (byte)code)];
            (int rows, int columns) = scaled switch { "blocks" => (24, 20), "outputs" => (1, inputs), _ => (outputs, inputs) };
            int across = (inputs + columns - 1) / columns;
            int down = (outputs + rows - 1) / rows;
            float[] scales = Scales(down * across);
            long[] shape = scaled == "one" ? [] : [down, across];
            return ([Tensor.FromBytes($"{path}.weight", ElementType.F8_E4M3, codes, outputs, inputs), Tensor.FromFloats($"{path}.{part}", scales, shape)],
                [.. Places(outputs, inputs).Select(at => Eighth(codes[(at.First * inputs) + at.Second]) * scales[(at.First / rows * across) + (at.Second / columns)])]);
        });

        AssertLoads();
    }

    [Theory]
    [InlineData("""{"quant_method": "hqq"}""", "'quantization_config.quant_method' is \"hqq\"; expected bitsandbytes (4 bits, or 8), gptq, awq or fp8")]
    [InlineData("""{"quant_method": "gptq", "bits": 3}""", "'quantization_config.bits' is 3; expected 2, 4 or 8")]
    [InlineData("""{"quant_method": "gptq", "bits": 4, "checkpoint_format": "marlin"}""", "'quantization_config.checkpoint_format' is \"marlin\"")]
    [InlineData("""{"quant_method": "awq", "bits": 4, "version": "gemv"}""", "'quantization_config.version' is \"gemv\"")]
    [InlineData("""{"quant_method": "gptq", "bits": 4, "group_size": 16}""", "'model.layers.0.self_attn.q_proj.qzeros' is missing")]
    [InlineData("""{"quant_method": "gptq", "bits": 4, "group_size": 0}""", "'quantization_config.group_size' is 0")]
    public void FormsThatCannotBeRead_AreRefusedByName(string settings, string refusal)
    {
        Pack(JsonNode.Parse(settings)!.AsObject(), (path, values, outputs, inputs) => ([Words($"{path}.qweight", new uint[inputs / 8 * outputs], inputs / 8, outputs)], values));

        var error = Assert.Throws<ModelFormatException>(() => ModelLoader.Load(CpuDevice.Instance, _folder.Path));

        Assert.Contains(refusal, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PlainWeights_WhateverTheConfigurationSays_AreUsed()
    {
        Pack(new JsonObject { ["quant_method"] = "bitsandbytes" }, (path, values, outputs, inputs) => ([Tensor.FromFloats($"{path}.weight", values, outputs, inputs)], values));

        Assert.Contains("'quantization_config' is", Assert.Single(AssertLoads()), StringComparison.Ordinal);
    }

    private static int Code(Nf4Matrix matrix, int i) => i % 2 == 0 ? matrix.Codes[i / 2] >> 4 : matrix.Codes[i / 2] & 15;

    private static float Round(float value, string dtype) => dtype switch
    {
        "float16" => (float)(Half)value,
        "bfloat16" => NearestBFloat(value),
        _ => value,
    };

    private static float NearestBFloat(float value)
    {
        uint below = BitConverter.SingleToUInt32Bits(value) & 0xFFFF_0000;
        (float lower, float upper) = (BitConverter.UInt32BitsToSingle(below), BitConverter.UInt32BitsToSingle(below + 0x1_0000));
        (double toLower, double toUpper) = (Math.Abs((double)value - lower), Math.Abs((double)value - upper));
        return toLower < toUpper || (toLower == toUpper && (below & 0x1_0000) == 0) ? lower : upper;
    }

    private static float Eighth(byte code)
    {
        double magnitude = (code & 0x78) == 0 ? (code & 7) / 512.0 : (1 + ((code & 7) / 8.0)) * Math.Pow(2, ((code >> 3) & 15) - 7);
        return (float)(code > 0x7F ? -magnitude : magnitude);
    }

    private static Tensor Bytes(string name, ReadOnlySpan<byte> bytes, params ReadOnlySpan<long> shape) => Tensor.FromBytes(name, ElementType.U8, bytes, shape);

    private static Tensor Words(string name, uint[] words, params ReadOnlySpan<long> shape) =>
        Tensor.FromBytes(name, ElementType.I32, System.Runtime.InteropServices.MemoryMarshal.AsBytes(words.AsSpan()), shape);

    private static Tensor HalfScales(string name, float[] scales, params ReadOnlySpan<long> shape) =>
        Tensor.FromBytes(name, ElementType.F16, System.Runtime.InteropServices.MemoryMarshal.AsBytes(Array.ConvertAll(scales, scale => (Half)scale).AsSpan()), shape);

    private static IEnumerable<(int First, int Second)> Places(int first, int second) => Enumerable.Range(0, first).SelectMany(i => Enumerable.Range(0, second).Select(k => (i, k)));

    private int[,] Codes(int first, int second, int most)
    {
        int[,] codes = new int[first, second];
        foreach ((int i, int k) in Places(first, second))
        {
            codes[i, k] = _random.Next(most + 1);
        }

        return codes;
    }

    // Values that halves hold.
    private float[] Scales(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(Half)(0.001 + (_random.NextDouble() * 0.01)))];

    /// <summary>Replaces every query's weight by parts, and remembers what they come to.</summary>
    private void Pack(JsonObject settings, Func<string, float[], int, int, (Tensor[] Parts, float[] Values)> pack)
    {
        string path = _folder.File("model.safetensors");
        List<Tensor> tensors = [];
        using (var file = SafetensorsFile.Parse(File.ReadAllBytes(path), path))
        {
            foreach (Tensor tensor in file.Tensors.Values)
            {
                if (!tensor.Name.EndsWith(Linear, StringComparison.Ordinal))
                {
                    tensors.Add(tensor);
                    continue;
                }

                string module = tensor.Name[..^".weight".Length];
                (Tensor[] parts, float[] values) = pack(module, tensor.ToFloats(), (int)tensor.Shape[0], (int)tensor.Shape[1]);
                tensors.AddRange(parts);
                _expected.Add((module, values));
            }

            File.Delete(path);
            SafetensorsFile.Write(path, tensors);
        }

        JsonObject config = JsonNode.Parse(File.ReadAllText(_folder.File("config.json")))!.AsObject();
        config["quantization_config"] = settings;
        File.Delete(_folder.File("config.json"));
        File.WriteAllText(_folder.File("config.json"), config.ToJsonString());
    }

    private IReadOnlyList<string> AssertLoads()
    {
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, _folder.Path, new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        Assert.NotEmpty(_expected);
        foreach ((string path, float[] values) in _expected)
        {
            BaseModule module = model.Transformer.Modules.Single(module => module.Path == path);
            float[] row = new float[module.Inputs];
            for (int output = 0; output < module.Outputs; output++)
            {
                model.Transformer.CopyWeightRow(module.Site, output, row);
                Assert.Equal(values[(output * module.Inputs)..((output + 1) * module.Inputs)], row);
            }
        }

        return model.Warnings;
    }
}
