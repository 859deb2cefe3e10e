using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute;
using LoraServe.Compute.Files;
using LoraServe.Cpu;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;
using LoraServe.Testing;

namespace LoraServe.Models.Tests;

public class ModelLoaderTests
{
    private static readonly ModelLoadOptions s_exact = new() { Arithmetic = Arithmetic.Exact };

    public static TheoryData<string> CommittedModels => [.. Directory.GetDirectories(Repository.Fixture("models")).Select(path => Path.GetFileName(path)!)];

    public static TheoryData<string> SharedModels =>
        [.. SharedFiles.Cases(SharedFiles.FolderNames("fixtures/models").Where(name => name.StartsWith("llama", StringComparison.Ordinal) || name is "qwen2" or "qwen2-window"))];

    public static TheoryData<string> SharedGguf => [.. SharedFiles.Cases(SharedFiles.FileNames("fixtures/gguf", "*.gguf"))];

    [Theory]
    [MemberData(nameof(CommittedModels))]
    public void Load_CommittedModelInBothForms_IsTheSameModel(string name) => CheckBothForms(Repository.Fixture($"models/{name}"));

    [SkippableTheory]
    [MemberData(nameof(SharedModels))]
    public void Load_SharedModelInBothForms_IsTheSameModel(string name) => CheckBothForms(SharedFiles.Require($"fixtures/models/{name}"));

    [SkippableTheory]
    [MemberData(nameof(SharedGguf))]
    public void Load_SharedGguf_LoadsOrNamesTheUnsupportedTensor(string name)
    {
        string path = SharedFiles.Require($"fixtures/gguf/{name}");
        using var file = GgufFile.Open(path);
        if (file.UnsupportedTensors.Count > 0)
        {
            var error = Assert.Throws<TensorFileException>(() => ModelLoader.Load(CpuDevice.Instance, path, s_exact));
            Assert.Contains(file.UnsupportedTensors, tensor => error.Message.Contains($"'{tensor.Key}' has type {tensor.Value}", StringComparison.Ordinal));
            return;
        }

        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, path, s_exact);
        AssertWeightsAreReadable(model.Transformer);
        Assert.Equal(file.Metadata.GetString("general.name"), model.Name);
        Assert.NotNull(model.Text.Templates?.Default);
        Assert.Equal(model.Transformer.VocabularySize, model.Tokenizer!.VocabularySize);
        Assert.Equal((int)file.Metadata.GetInteger("tokenizer.ggml.eos_token_id"), model.Generation.EndTokens[0]);
    }

    [SkippableFact]
    public void Load_SmolLM2_HasItsShape()
    {
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, SharedFiles.Require("models/smollm2-135m-instruct-q4_1.gguf"), s_exact);
        Transformer transformer = model.Transformer;
        TransformerSpec spec = transformer.Spec;
        Assert.Equal(
            (30, 576, 9, 3, 64, 49152, true),
            (transformer.LayerCount, transformer.Width, spec.QueryHeads, spec.KeyValueHeads, transformer.HeadSize, transformer.VocabularySize, transformer.TiedHead));
        Assert.Equal("<|im_end|>", model.Text.EndTokenText);
        Assert.Equal("Hello, world", model.Tokenizer!.Decode(model.Tokenizer.Encode("Hello, world", addSpecialTokens: false), skipSpecialTokens: true));
    }

    [Fact]
    public void Load_GgufOfLlama_PutsQueryAndKeyIntoHuggingFaceOrder()
    {
        string path = Repository.Fixture("files/tiny-llama.gguf");
        using var file = GgufFile.Open(path);
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, path, s_exact);
        TransformerSpec spec = model.Transformer.Spec;
        float[] stored = file.GetTensor("blk.0.attn_q.weight").ToFloats();
        float[] row = new float[spec.Width];
        int half = spec.HeadSize / 2;
        for (int head = 0; head < spec.QueryHeads; head++)
        {
            for (int pair = 0; pair < half; pair++)
            {
                for (int part = 0; part < 2; part++)
                {
                    model.Transformer.CopyWeightRow(new Site(0, SiteRole.Query), (head * spec.HeadSize) + (part * half) + pair, row);
                    Assert.Equal(stored.AsSpan(((head * spec.HeadSize) + (2 * pair) + part) * spec.Width, spec.Width).ToArray(), row);
                }
            }
        }
    }

    [Fact]
    public void Load_HuggingFaceDirectory_KeepsRowsAndReadsEndTokensAndTemplate()
    {
        using var directory = TemporaryDirectory.CopyOf(Repository.Fixture("models/qwen2-window"));
        File.WriteAllText(directory.File("generation_config.json"), """{"eos_token_id": [5, 7], "bos_token_id": 3}""");
        File.WriteAllText(directory.File("tokenizer_config.json"), """{"eos_token": {"content": "</s>"}, "bos_token": "<s>", "chat_template": [{"name": "rag", "template": "no"}, {"name": "default", "template": "yes"}]}""");
        using var file = SafetensorsFile.Open(directory.File("model.safetensors"));
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, directory.Path, s_exact);
        Assert.Equal<int>([5, 7], model.Generation.EndTokens.ToArray());
        Assert.Equal((3, "<s>", "</s>", "yes"), (model.Generation.BeginToken, model.Text.BeginTokenText, model.Text.EndTokenText, model.Text.Templates?.Default));
        foreach (BaseModule module in model.Transformer.Modules.Where(module => module.HasBias))
        {
            float[] expected = file.Tensors[module.Path + ".bias"].ToFloats();
            float[] bias = new float[module.Outputs];
            model.Transformer.CopyBias(module.Site, bias);
            Assert.Equal(expected, bias);
        }

        float[] row = new float[model.Transformer.Width];
        model.Transformer.CopyWeightRow(new Site(1, SiteRole.Key), 3, row);
        Assert.Equal(file.Tensors["model.layers.1.self_attn.k_proj.weight"].ToFloats().AsSpan(3 * row.Length, row.Length).ToArray(), row);
        Assert.Equal<int>([0, 8, 8], model.Transformer.Spec.Windows.ToArray());
    }

    [Fact]
    public void Load_OtherWeightsOfTheSameShape_HaveAnotherFingerprint()
    {
        using var directory = TemporaryDirectory.CopyOf(Repository.Fixture("models/llama-tied"));
        string before = FingerprintOf(directory.Path);
        using (FileStream stream = File.Open(directory.File("model.safetensors"), FileMode.Open))
        {
            stream.Position = stream.Length - 3;
            int last = stream.ReadByte();
            stream.Position--;
            stream.WriteByte((byte)(last ^ 1));
        }

        Assert.NotEqual(before, FingerprintOf(directory.Path));
    }

    [Theory]
    [InlineData("rope_scaling", """{"rope_type": "longrope"}""", "rope_scaling.short_factor")]
    [InlineData("rope_scaling", """{"type": "linear", "factor": 0.5}""", "rope_scaling.factor")]
    [InlineData("rope_scaling", """{"type": "yarn", "factor": 2, "beta_fast": 1, "beta_slow": 2}""", "rope_scaling.beta_fast")]
    [InlineData("num_hidden_layers", "1000000000", "num_hidden_layers")]
    [InlineData("vocab_size", "4611686018427387904", "vocab_size")]
    [InlineData("rms_norm_eps", "-1", "rms_norm_eps")]
    [InlineData("hidden_act", "\"selu\"", "hidden_act")]
    [InlineData("model_type", "\"mamba\"", "llama, mistral")]
    [InlineData("eos_token_id", "\"two\"", "eos_token_id")]
    public void Load_ConfigWithNonsense_NamesFileAndField(string field, string value, string named)
    {
        using var directory = TemporaryDirectory.CopyOf(Repository.Fixture("models/llama-tied"));
        File.Delete(directory.File("generation_config.json"));
        JsonObject config = JsonNode.Parse(File.ReadAllText(directory.File("config.json")))!.AsObject();
        config.Remove("rope_parameters");
        config[field] = JsonNode.Parse(value);
        File.WriteAllText(directory.File("config.json"), config.ToJsonString());
        var error = Assert.Throws<ModelFormatException>(() => ModelLoader.Load(CpuDevice.Instance, directory.Path));
        Assert.Contains(directory.File("config.json"), error.Message, StringComparison.Ordinal);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SpecialIdsThatCannotOccur_AreLeftOutWithAWarning()
    {
        using var directory = TemporaryDirectory.CopyOf(Repository.Fixture("models/llama-tied"));
        File.WriteAllText(directory.File("generation_config.json"), """{"eos_token_id": [2, 128009], "bos_token_id": -1}""");

        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, directory.Path);

        Assert.Equal<int>([2], model.Generation.EndTokens.ToArray());
        Assert.Contains(model.Warnings, warning => warning.Contains("generation_config.json: 'eos_token_id' names 128009, which cannot occur", StringComparison.Ordinal));
        Assert.Contains(model.Warnings, warning => warning.Contains("'bos_token_id' names -1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("../llama-tied/model.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("model-00001.safetensors")]
    [InlineData("model.bin")]
    public void Load_IndexWithBadShard_IsRefused(string shard)
    {
        using var directory = TemporaryDirectory.CopyOf(Repository.Fixture("models/llama-tied"));
        File.Delete(directory.File("model.safetensors"));
        File.WriteAllText(directory.File("model.safetensors.index.json"), $$"""{"weight_map": {"model.norm.weight": "{{shard}}"} }""");
        Exception? error = Record.Exception(() => ModelLoader.Load(CpuDevice.Instance, directory.Path));
        Assert.True(error is ModelFormatException or TensorFileException, error?.ToString());
    }

    [Fact]
    public void Load_NothingThere_SaysSo() =>
        Assert.Contains("no such file", Assert.Throws<ModelFormatException>(() => ModelLoader.Load(CpuDevice.Instance, "/nowhere/at/all")).Message, StringComparison.Ordinal);

    private static string FingerprintOf(string path)
    {
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, path, s_exact);
        return model.Transformer.Fingerprint;
    }

    private static void CheckBothForms(string folder)
    {
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, folder, s_exact);
        AssertWeightsAreReadable(model.Transformer);
        using var other = TemporaryDirectory.CopyOf(folder);
        File.Move(other.File("config.alt.json"), other.File("config.json"), overwrite: true);
        using LoadedModel alternative = ModelLoader.Load(CpuDevice.Instance, other.Path, s_exact);
        Assert.Equal(model.Transformer.Fingerprint, alternative.Transformer.Fingerprint);
        Assert.Equal(model.Transformer.Spec.ContextLength, alternative.Transformer.Spec.ContextLength);
        Assert.Equal<int>(model.Transformer.Spec.Windows.AsSpan().ToArray(), alternative.Transformer.Spec.Windows.AsSpan().ToArray());
    }

    private static void AssertWeightsAreReadable(Transformer model)
    {
        Assert.Equal((model.LayerCount * 7) + 2, model.Modules.Count);
        foreach (BaseModule module in model.Modules)
        {
            float[] row = new float[module.Inputs];
            model.CopyWeightRow(module.Site, module.Outputs - 1, row);
            Assert.Contains(row, value => value != 0);
        }
    }
}
