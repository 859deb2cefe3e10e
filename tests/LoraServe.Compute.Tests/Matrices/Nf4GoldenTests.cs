using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Compute.Tests.Matrices;

/// <summary>What bitsandbytes makes of matrices.</summary>
public class Nf4GoldenTests
{
    public static TheoryData<string> Cases
    {
        get
        {
            if (SharedFiles.TryGet("fixtures/quant/index.json") is not { } path)
            {
                return ["nf4"];
            }

            using var index = JsonDocument.Parse(File.ReadAllBytes(path));
            return [.. index.RootElement.GetProperty("cases").EnumerateArray().Select(Name).Where(name => name.StartsWith("nf4", StringComparison.Ordinal))];
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Quantize_Case_EqualsBitsandbytes(string name)
    {
        using SafetensorsFile file = Open("4bit.safetensors");
        using var index = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Require("fixtures/quant/index.json")));
        JsonElement @case = index.RootElement.GetProperty("cases").EnumerateArray().Single(c => Name(c) == name);
        int blockSize = @case.GetProperty("blocksize").GetInt32();
        bool isDoubled = @case.GetProperty("double_quantisation").GetBoolean();
        bool isBFloat = @case.GetProperty("dtype").GetString() == "bfloat16";
        int rows = @case.GetProperty("shape")[0].GetInt32();
        int columns = @case.GetProperty("shape")[1].GetInt32();
        float[] input = Floats(file, $"input.{@case.GetProperty("input").GetString()}");
        float[] values = isBFloat ? [.. input.Select(ToBFloat)] : input;
        byte[] codes = Bytes(file, $"{name}.packed");
        var quantised = Nf4Matrix.Quantize(values, rows, columns, isDoubled, blockSize);
        Assert.Equal(codes[..(values.Length / 2)], quantised.Codes[..(values.Length / 2)].ToArray());

        Nf4Matrix stored;
        if (isDoubled)
        {
            float[] maxima = Floats(file, $"{name}.nested_absmax");
            float offset = Floats(file, $"{name}.offset")[0];
            Assert.Equal(Bytes(file, $"{name}.absmax"), quantised.Nested!.Codes.ToArray());

            // Their mean is a float32 sum in an order of its own.
            Assert.Equal(offset, quantised.Nested.Offset, offset * 2e-7f);
            Assert.All(maxima.Zip(quantised.Nested.Maxima.ToArray()), pair => Assert.Equal(pair.First, pair.Second, offset * 2e-7f));
            stored = Nf4Matrix.FromStored(rows, columns, blockSize, codes, new NestedScales(Bytes(file, $"{name}.absmax"), maxima, offset));
        }
        else
        {
            float[] scales = Floats(file, $"{name}.absmax");
            Assert.Equal(scales, quantised.Scales.ToArray());
            stored = Nf4Matrix.FromStored(rows, columns, blockSize, codes, scales);
        }

        float[] expected = Floats(file, $"{name}.dequantized");
        Assert.Equal(expected, isBFloat ? [.. Values(stored).Select(ToBFloat)] : Values(stored));
    }

    [SkippableFact]
    public void Tables_EqualBitsandbytes()
    {
        using SafetensorsFile file = Open("4bit.safetensors");
        Assert.Equal(Floats(file, "nf4_code"), Nf4.Levels.ToArray());
        Assert.Equal(Floats(file, "nested_code"), NestedScales.Map.ToArray());
    }

    [SkippableFact]
    public void FromStored_SerialisedLayer_EqualsItsDequantisedValues()
    {
        using SafetensorsFile file = Open("serialised-nf4.safetensors");
        using var state = JsonDocument.Parse(Bytes(file, "layer.weight.quant_state.bitsandbytes__nf4"));
        int blockSize = state.RootElement.GetProperty("blocksize").GetInt32();
        Tensor expected = file.Tensors["dequantized"];
        var scales = new NestedScales(
            Bytes(file, "layer.weight.absmax"), Floats(file, "layer.weight.nested_absmax"), state.RootElement.GetProperty("nested_offset").GetSingle());
        var matrix = Nf4Matrix.FromStored((int)expected.Shape[0], (int)expected.Shape[1], blockSize, Bytes(file, "layer.weight"), scales);
        Assert.Equal(expected.ToFloats(), Values(matrix));
    }

    [SkippableFact]
    public void Quantize_TrainedBase_EqualsTheValuesItWasTrainedOn()
    {
        string folder = SharedFiles.Require("fixtures/training/qlora");
        using var @case = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "case.json")));
        string weights = Path.Combine(folder, "..", @case.RootElement.GetProperty("base").GetString()!, "model.safetensors");
        Skip.IfNot(File.Exists(weights), $"{weights} is not here.");
        using var model = SafetensorsFile.Open(weights);
        using var quantised = SafetensorsFile.Open(Path.Combine(folder, @case.RootElement.GetProperty("quantised").GetString()!));
        foreach ((string name, Tensor expected) in quantised.Tensors.Where(tensor => tensor.Key.EndsWith(".dequantized", StringComparison.Ordinal)))
        {
            Tensor weight = model.Tensors[name[..^".dequantized".Length]];
            var matrix = Nf4Matrix.Quantize(weight.ToFloats(), (int)weight.Shape[0], (int)weight.Shape[1]);
            using PackedMatrix packed = PackedMatrix.Pack(matrix);
            float[] row = new float[packed.Inputs];
            for (int i = 0; i < packed.Outputs; i++)
            {
                packed.CopyRow(i, row);
                Assert.All(expected.ToFloats().Skip(i * row.Length).Zip(row), pair => Assert.Equal(pair.First, pair.Second, 1e-6f * Math.Abs(pair.First)));
            }
        }
    }

    private static SafetensorsFile Open(string name) => SafetensorsFile.Open(SharedFiles.Require($"fixtures/quant/{name}"));

    private static string Name(JsonElement @case) => @case.GetProperty("name").GetString()!;

    private static float[] Floats(SafetensorsFile file, string name) => file.Tensors[name].ToFloats();

    private static byte[] Bytes(SafetensorsFile file, string name) => [.. Floats(file, name).Select(value => (byte)value)];

    private static float[] Values(Nf4Matrix matrix)
    {
        float[] values = new float[matrix.Rows * matrix.Columns];
        for (int row = 0; row < matrix.Rows; row++)
        {
            matrix.CopyRow(row, values.AsSpan(row * matrix.Columns, matrix.Columns));
        }

        return values;
    }

    private static float ToBFloat(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }
}
