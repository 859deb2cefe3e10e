using System.Text;
using LoraServe.Compute;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Cpu;
using LoraServe.Models.Config;
using LoraServe.Models.Conversion;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Conversion;

/// <summary>A model that is written anew is the same model, as near as the type comes.</summary>
public sealed class ModelConverterTests : IDisposable
{
    private static readonly int[] s_prompt = [3, 17, 5, 88, 42, 9];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("loraserve-convert-");

    public static TheoryData<string, ElementType> GgufFiles()
    {
        var data = new TheoryData<string, ElementType>();
        foreach (string file in (ReadOnlySpan<string>)["llama-small-F32", "llama-Q6_K", "qwen2-Q4_K_M", "qwen2-small-F32"])
        {
            foreach (ElementType type in ConversionOptions.GgufTypes)
            {
                data.Add(file, type);
            }
        }

        return data;
    }

    [SkippableTheory]
    [MemberData(nameof(GgufFiles))]
    public void Convert_GgufToGguf_KeepsTheModelItsTokenizerAndMetadata(string name, ElementType type)
    {
        string from = SharedFiles.Require($"fixtures/gguf/{name}.gguf");
        string to = Convert(from, "made.gguf", type);
        using (GgufFile before = GgufFile.Open(from))
        using (GgufFile after = GgufFile.Open(to))
        {
            Assert.Equal(before.Tensors.Keys.Order(), after.Tensors.Keys.Order());
            Assert.Equal(before.Metadata.Keys.Append("general.file_type").Append("general.quantization_version").Distinct().Order(), after.Metadata.Keys.Order());
            Assert.Equal(before.Metadata.FindStrings("tokenizer.ggml.tokens"), after.Metadata.FindStrings("tokenizer.ggml.tokens"));
            Assert.Contains(after.Tensors.Values, tensor => tensor.Type == type || tensor.RowLength % type.BlockElements() != 0);
        }

        AssertNear(from, to, type);
    }

    [Theory]
    [InlineData("llama-tied")]
    [InlineData("qwen2-window")]
    public void Convert_HuggingFaceToSafetensors_GivesTheSameLogits(string name)
    {
        string from = Repository.Fixture($"models/{name}");
        AssertNear(from, Convert(from, "made", ElementType.F32), ElementType.F32);
    }

    [Theory]
    [InlineData(ElementType.F32)]
    [InlineData(ElementType.BF16)]
    [InlineData(ElementType.Q8_0)]
    public void Convert_HuggingFaceToGgufAndBack_GivesTheModel(ElementType type)
    {
        string from = Repository.Fixture("models/llama-tied");
        string gguf = Convert(from, "made.gguf", type);
        AssertNear(from, gguf, type);
        AssertNear(gguf, Convert(gguf, "back", ElementType.F32), ElementType.F32);
    }

    [Fact]
    public void Convert_ModelThatGgufDoesNotSay_IsRefusedAndLeavesNothing()
    {
        ModelFormatException refusal = Assert.Throws<ModelFormatException>(() => Convert(Repository.Fixture("models/qwen2-window"), "made.gguf", ElementType.F32));
        Assert.Contains("not written to GGUF", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(_folder.GetFiles());
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Convert_WithImportance_KeepsWhatMattersNearer(bool isGguf)
    {
        string from = SharedFiles.Require("fixtures/gguf/llama-Q6_K.gguf");
        const string Name = "blk.0.ffn_up.weight";
        float[] importance = [.. Enumerable.Range(0, 256).Select(i => i < 32 ? 1000f : 0.001f)];
        string file = Path.Combine(_folder.FullName, "importance");
        if (isGguf)
        {
            GgufWriter.Write(file, [GgufEntry.Of("general.type", "imatrix")], [Stored(Name + ".in_sum2", [.. importance.Select(value => value * 4)], 1, 256), Stored(Name + ".counts", [4], 1, 1)]);
        }
        else
        {
            using BinaryWriter writer = new(File.Create(file));
            writer.Write(1);
            writer.Write(Name.Length);
            writer.Write(Encoding.UTF8.GetBytes(Name));
            writer.Write(4);
            writer.Write(256);
            Array.ForEach(importance, value => writer.Write(value * 4));
        }

        float plain = Error(Convert(from, "plain.gguf", ElementType.Q4_0));
        ConversionReport? report = null;
        float weighed = Error(Convert(from, "weighed.gguf", ElementType.Q4_0, ImportanceFile.Read(file), made => report = made));
        Assert.Contains(report!.Notes, note => note.Contains("no values", StringComparison.Ordinal));
        Assert.InRange(weighed, 0, plain);

        // Only blocks that lie in both parts would differ: the first 32 inputs are one block, in which all weigh alike.
        float Error(string made)
        {
            using GgufFile before = GgufFile.Open(from);
            using GgufFile after = GgufFile.Open(made);
            return before.GetTensor(Name).ToFloats().Zip(after.GetTensor(Name).ToFloats(), (a, b) => (a - b) * (a - b)).Chunk(256).Sum(row => row.Take(32).Sum());
        }

        static TensorToWrite Stored(string name, float[] values, params long[] shape) =>
            new(name, ElementType.F32, [.. shape], stream => stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan())));
    }

    [Theory]
    [InlineData("")]
    [InlineData("xxxxxxxxxxxxxxxxxxxxxxxx")]
    public void Read_WhatIsNoImportanceFile_IsRefusedByName(string content)
    {
        string file = Path.Combine(_folder.FullName, "importance.dat");
        File.WriteAllText(file, content);
        Assert.Contains(file, Assert.Throws<ModelFormatException>(() => ImportanceFile.Read(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_QuantisedToSafetensors_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Convert(Repository.Fixture("models/llama-tied"), "made", ElementType.Q8_0));

    public void Dispose() => _folder.Delete(recursive: true);

    private string Convert(string from, string name, ElementType type, ImportanceFile? importance = null, Action<ConversionReport>? told = null)
    {
        string to = Path.Combine(_folder.FullName, name);
        ConversionReport report = ModelConverter.Convert(from, to, new ConversionOptions { Type = type, Importance = importance, Workers = 2 });
        told?.Invoke(report);
        return to;
    }

    private static void AssertNear(string from, string to, ElementType type)
    {
        float[][] before = Logits(from);
        float[][] after = Logits(to);
        double error = Math.Sqrt(before.SelectMany(row => row).Zip(after.SelectMany(row => row), (a, b) => Math.Pow(a - b, 2)).Average());
        double size = Math.Sqrt(before.SelectMany(row => row).Average(value => Math.Pow(value, 2)));
        double allowed = type switch { ElementType.F32 => 1e-5, ElementType.F16 => 0.005, ElementType.BF16 or ElementType.Q8_0 or ElementType.Q6_K => 0.1, _ => 0.45 };
        Assert.True(error <= allowed * size, $"{type}: logits differ by {error} where they are {size}");
    }

    private static float[][] Logits(string path)
    {
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, path, new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        using var harness = new ForwardHarness(model.Transformer);
        return [.. harness.Logits([.. s_prompt.Select(token => token % model.Transformer.VocabularySize)])];
    }
}
