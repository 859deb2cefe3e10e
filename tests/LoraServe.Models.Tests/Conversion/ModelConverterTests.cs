using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Compute;
using LoraServe.Compute.Files;
using LoraServe.Compute.Matrices;
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

    [Theory]
    [InlineData("llama-tied")]
    [InlineData("qwen2-window")]
    public void Convert_ToNf4_WritesWhatBitsAndBytesWould(string name) => AssertIsNf4(Repository.Fixture($"models/{name}"));

    [SkippableTheory]
    [InlineData("models/gemma2")]
    [InlineData("models/granite")]
    [InlineData("models/llama-bf16")]
    [InlineData("models/llama-sharded")]
    [InlineData("models/mixtral")]
    [InlineData("models/phi3")]
    [InlineData("models/qwen3-moe")]
    [InlineData("models/smollm3")]
    [InlineData("gguf/llama-small-F32.gguf")]
    public void Convert_FamiliesToNf4_WritesWhatBitsAndBytesWould(string path) => AssertIsNf4(SharedFiles.Require($"fixtures/{path}"));

    [SkippableFact]
    public void Convert_ToNf4_HasTheTensorsAndStateThatTransformersSaves()
    {
        using var saved = SafetensorsFile.Open(SharedFiles.Require("fixtures/quant/serialised-nf4.safetensors"));
        using var made = SafetensorsFile.Open(Path.Combine(ToNf4(Repository.Fixture("models/llama-tied")), "model.safetensors"));
        const string Path0 = "model.layers.0.mlp.up_proj";
        Tensor[] expected = [.. saved.Tensors.Values.Where(tensor => tensor.Name != "dequantized")];
        Tensor[] found = [.. made.Tensors.Values.Where(tensor => tensor.Name.StartsWith(Path0, StringComparison.Ordinal))];

        Assert.Equal(Parts(expected, "layer"), Parts(found, Path0));
        Assert.Equal(StateOf(expected).Select(field => field.Key), StateOf(found).Select(field => field.Key));

        static IEnumerable<(string, ElementType, int)> Parts(Tensor[] tensors, string path) => tensors.Select(tensor => (tensor.Name[path.Length..], tensor.Type, tensor.Shape.Length)).Order();

        static JsonObject StateOf(Tensor[] tensors) =>
            JsonNode.Parse(string.Concat(tensors.Single(tensor => tensor.Name.EndsWith("bitsandbytes__nf4", StringComparison.Ordinal)).ToFloats().Select(value => (char)value)))!.AsObject();
    }

    [Fact]
    public void Convert_ToNf4WithImportance_KeepsWhatMattersNearer()
    {
        string from = Repository.Fixture("models/llama-tied");
        const string Map = "model.layers.0.mlp.up_proj.weight";
        using var model = SafetensorsFile.Open(Path.Combine(from, "model.safetensors"));
        Tensor before = model.Tensors[Map];
        float[] importance = [.. Enumerable.Range(0, (int)before.RowLength).Select(i => i % 8 == 0 ? 1000f : 0.001f)];
        string file = Path.Combine(_folder.FullName, "importance.dat");
        using (BinaryWriter writer = new(File.Create(file)))
        {
            byte[] name = Encoding.UTF8.GetBytes("blk.0.ffn_up.weight");
            writer.Write(1);
            writer.Write(name.Length);
            writer.Write(name);
            writer.Write(1);
            writer.Write(importance.Length);
            Array.ForEach(importance, writer.Write);
        }

        double plain = Error(ToNf4(from));
        double weighed = Error(ToNf4(from, ImportanceFile.Read(file)));

        Assert.InRange(weighed, 0, plain * 0.9);

        double Error(string made)
        {
            using ModelWeights weights = new(ModelLoader.Open(made));
            float[] after = weights.Linears.Single(linear => linear.Site is { Layer: 0, Role: SiteRole.Up }).Weight.ToFloats();
            return before.ToFloats().Zip(after, (a, b) => (double)(a - b) * (a - b)).Select((square, i) => square * importance[i % importance.Length]).Sum();
        }
    }

    [Fact]
    public void Convert_Nf4ToGguf_IsRefused() => Assert.Throws<ArgumentException>(() =>
        ModelConverter.Convert(Repository.Fixture("models/llama-tied"), Path.Combine(_folder.FullName, "made.gguf"), new ConversionOptions { Type = ElementType.BF16, Nf4 = true }));

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

    private string ToNf4(string from, ImportanceFile? importance = null)
    {
        string to = Path.Combine(_folder.FullName, $"nf4-{(importance is null ? "plain" : "weighed")}");
        ConversionReport report = ModelConverter.Convert(from, to, new ConversionOptions { Type = ElementType.BF16, Nf4 = true, Importance = importance, Workers = 2 });
        Assert.True(report.Types["NF4"].Tensors > 0);
        return to;
    }

    /// <summary>Every linear map of a layer is what NF4 makes of it, rounded to bfloat16; the rest is bfloat16.</summary>
    private void AssertIsNf4(string from)
    {
        string to = ToNf4(from);
        using ModelWeights before = new(ModelLoader.Open(from));
        using ModelWeights after = new(ModelLoader.Open(to));
        var made = after.Linears.ToDictionary(linear => linear.Site);
        foreach ((Site site, Tensor weight, Tensor? bias) in before.Linears)
        {
            float[] values = weight.ToFloats();
            ReadOnlySpan<int> order = before.RowOrder(site);
            float[] ordered = order.IsEmpty ? values : [.. order.ToArray().SelectMany(row => values.AsSpan(row * (int)weight.RowLength, (int)weight.RowLength).ToArray())];
            bool isPlain = site.Role is SiteRole.Head or SiteRole.Router;
            float[] expected = isPlain ? ordered : Rounded(Nf4Matrix.Quantize(ordered, (int)weight.RowCount, (int)weight.RowLength));
            Assert.Equal(Rounded(expected), made[site].Weight.ToFloats());
            Assert.Equal(bias is null, made[site].Bias is null);
        }

        using JsonDocument config = JsonDocument.Parse(File.ReadAllText(Path.Combine(to, "config.json")));
        string[] skipped = [.. config.RootElement.GetProperty("quantization_config").GetProperty("llm_int8_skip_modules").EnumerateArray().Select(name => name.GetString()!)];
        Assert.Equal(before.Linears.Count(linear => linear.Site.Role is SiteRole.Head or SiteRole.Router), skipped.Length);
        Assert.Contains("lm_head", skipped);

        static float[] Rounded(object of)
        {
            float[] values = of is Nf4Matrix matrix
                ? [.. Enumerable.Range(0, matrix.Rows).SelectMany(row =>
                {
                    float[] one = new float[matrix.Columns];
                    matrix.CopyRow(row, one);
                    return one;
                })]
                : (float[])of;
            return [.. values.Select(value =>
            {
                uint bits = BitConverter.SingleToUInt32Bits(value);
                return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF_0000);
            })];
        }
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
