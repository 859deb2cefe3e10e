using System.Collections;
using System.Globalization;
using LoraServe.Adapters.Edits;
using LoraServe.Compute;
using LoraServe.Cpu;
using LoraServe.Models.Architectures;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;
using LoraServe.Models.Text;
using LoraServe.Testing;

namespace LoraServe.Models.Tests;

public class ModelDirectoryWriterTests
{
    private static readonly SiteRole[] s_attention = [SiteRole.Query, SiteRole.Key, SiteRole.Value, SiteRole.Output];
    private static readonly SiteRole[] s_mlp = [SiteRole.Gate, SiteRole.Up, SiteRole.Down];

    public static TheoryData<string, RopeScaling> Families
    {
        get
        {
            var rows = new TheoryData<string, RopeScaling>();
            foreach (Architecture family in Architecture.All)
            {
                foreach (RopeScaling scaling in Enum.GetValues<RopeScaling>())
                {
                    rows.Add(family.Name, scaling);
                }
            }

            return rows;
        }
    }

    /// <summary>A fingerprint is over everything of a spec that a forward pass depends on, and over the weights.</summary>
    [Theory]
    [MemberData(nameof(ModelLoaderTests.CommittedModels), MemberType = typeof(ModelLoaderTests))]
    public void Write_OverACommittedModelsFiles_LeavesTheSameModel(string name) => CheckRewritten(Repository.Fixture($"models/{name}"));

    [SkippableTheory]
    [MemberData(nameof(ModelLoaderTests.SharedModels), MemberType = typeof(ModelLoaderTests))]
    public void Write_OverASharedModelsFiles_LeavesTheSameModel(string name) => CheckRewritten(SharedFiles.Require($"fixtures/models/{name}"));

    [Theory]
    [MemberData(nameof(Families))]
    public void Write_EachFamilyWithEachRope_IsReadAsItWas(string family, RopeScaling scaling)
    {
        TransformerSpec spec = SpecOf(family);
        AssertIsReadAsItWas(spec with { Rope = scaling == RopeScaling.None || spec.LearnsPositions ? spec.Rope : Stretched(scaling, spec) });
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Write_LlamaWithBiases_IsReadAsItWas(bool ofAttention, bool ofMlp) =>
        AssertIsReadAsItWas(SpecOf("llama") with { Biases = [.. ofAttention ? s_attention : [], .. ofMlp ? s_mlp : []] });

    [Fact]
    public void Write_Qwen2WithWindows_IsReadAsItWas() => AssertIsReadAsItWas(SpecOf("qwen2") with { Windows = [0, 20] });

    [Fact]
    public void Write_LlamaWithBiasesOfQueryAlone_IsRefused() =>
        AssertIsRefused(SpecOf("llama") with { Biases = [SiteRole.Query] }, "m: has biases at Query without Key, Value, Output, which config.json cannot say");

    [Fact]
    public void Write_Qwen2WithoutBiases_IsRefused() =>
        AssertIsRefused(SpecOf("qwen2") with { Biases = [] }, "m: has biases at no linear map instead of Query, Key, Value, which config.json cannot say");

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    public void Write_RopeOfAGgufFileAlone_IsRefused(string family)
    {
        TransformerSpec spec = SpecOf(family);
        AssertIsRefused(spec with { Rope = spec.Rope with { Divisors = [.. Enumerable.Repeat(2f, spec.HeadSize / 2)] } }, "m: has rope divisors, which config.json cannot say");
    }

    [SkippableTheory]
    [InlineData("fixtures/gguf/llama-small-F32.gguf")]
    [InlineData("fixtures/gguf/qwen2-small-F32.gguf")]
    public void CopyTokenizer_OfAGgufFile_WritesTheSameTokenizer(string gguf)
    {
        string path = SharedFiles.Require(gguf);
        using var folder = new TemporaryDirectory();

        Assert.True(ModelDirectoryWriter.CopyTokenizer(path, folder.Path));

        var expected = ModelText.Read(path);
        var actual = ModelText.Read(folder.Path);
        Assert.Equal((expected.BeginTokenText, expected.EndTokenText), (actual.BeginTokenText, actual.EndTokenText));
        foreach (string text in (string[])["Hello, world! It's 12345.", "naïve  日本\n", "<|im_start|>user\nHi<|im_end|>", ""])
        {
            Assert.Equal(expected.Tokenizer!.Encode(text, addSpecialTokens: true), actual.Tokenizer!.Encode(text, addSpecialTokens: true));
        }
    }

    private static void CheckRewritten(string source)
    {
        using var folder = TemporaryDirectory.CopyOf(source);
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, folder.Path);
        ModelDirectoryWriter.Write(folder.Path, model, model.Transformer.TiedHead);
        using LoadedModel rewritten = ModelLoader.Load(CpuDevice.Instance, folder.Path);
        Assert.Equal(model.Transformer.Fingerprint, rewritten.Transformer.Fingerprint);
        AssertSame(model.Transformer.Spec, rewritten.Transformer.Spec);
        Assert.Equal(model.Generation.BeginToken, rewritten.Generation.BeginToken);
        Assert.Equal(model.Generation.EndTokens.ToArray(), rewritten.Generation.EndTokens.ToArray());
        Assert.Equal(model.Text.Templates?.Sources, rewritten.Text.Templates?.Sources);
    }

    private static void AssertIsReadAsItWas(TransformerSpec spec)
    {
        using var folder = new TemporaryDirectory();
        using LoadedModel model = Model(spec);
        foreach (bool tied in (bool[])[true, false])
        {
            ModelDirectoryWriter.Write(folder.Path, model, tied);
            var config = JsonFields.Load(folder.File("config.json"));
            AssertSame(spec with { TiedHead = tied }, Architecture.Of(config).FromHuggingFace(config));
        }
    }

    private static void AssertIsRefused(TransformerSpec spec, string message)
    {
        using var folder = new TemporaryDirectory();
        using LoadedModel model = Model(spec);
        var refusal = Assert.Throws<ModelFormatException>(() => ModelDirectoryWriter.Write(folder.Path, model, tiedHead: false));
        Assert.StartsWith(message, refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    /// <summary>Arrays of a record are equal only where they are one array, so everything that a spec says is compared as text.</summary>
    private static void AssertSame(TransformerSpec expected, TransformerSpec actual) => Assert.Equal(Said(expected), Said(actual));

    private static string Said(object? said) => said switch
    {
        null => "none",
        string text => text,
        IEnumerable several => $"[{string.Join(", ", several.Cast<object>().Select(Said))}]",
        RopeSpec or ExpertsSpec or TransformerSpec => string.Join('\n', said.GetType().GetProperties().Where(property => property.CanWrite).Select(property => $"{property.Name}: {Said(property.GetValue(said))}")),
        _ => Convert.ToString(said, CultureInfo.InvariantCulture)!,
    };

    private static LoadedModel Model(TransformerSpec spec) => new("m", TinyModel.Create(seed: 1, Arithmetic.Exact, spec: spec), new ModelText("m"), new GenerationDefaults());

    /// <summary>A small model of a family as its configuration says it, with every name that any family has for a field.</summary>
    private static TransformerSpec SpecOf(string family)
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder.File("config.json"), """
            {
              "hidden_size": 64, "n_embd": 64, "num_hidden_layers": 2, "n_layer": 2, "num_attention_heads": 4, "n_head": 4, "head_dim": 24, "vocab_size": 101,
              "intermediate_size": 96, "n_inner": 96, "max_position_embeddings": 512, "n_positions": 512, "rope_theta": 50000, "rotary_emb_base": 50000,
              "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "mlp_only_layers": [1], "norm_topk_prob": true,
              "embedding_multiplier": 3, "residual_multiplier": 0.5, "attention_multiplier": 0.25, "logits_scaling": 4, "sliding_window": 20, "final_logit_softcapping": 30
            }
            """);
        return Architecture.All.Single(known => known.Name == family).FromHuggingFace(JsonFields.Load(folder.File("config.json")));
    }

    /// <summary>A rope that stretches a context of 128 to that of the tiny model, 512.</summary>
    private static RopeSpec Stretched(RopeScaling scaling, TransformerSpec spec)
    {
        var rope = new RopeSpec { Theta = 50_000, Scaling = scaling, Factor = 4, OriginalContext = 128, Size = spec.Rope.Size };
        int pairs = rope.Turned(spec.HeadSize) / 2;
        return scaling switch
        {
            RopeScaling.LongRope => rope with { AttentionFactor = 1.25f, Divisors = [.. Enumerable.Repeat(1.5f, pairs)], LongDivisors = [.. Enumerable.Repeat(4f, pairs)] },
            RopeScaling.Yarn => rope with { BetaFast = 16, BetaSlow = 2, AttentionFactor = 1.2f, Truncate = false },
            RopeScaling.Llama3 => rope with { LowFrequencyFactor = 1.5, HighFrequencyFactor = 6 },
            _ => rope,
        };
    }
}
