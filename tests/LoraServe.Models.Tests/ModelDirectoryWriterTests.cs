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
        AssertIsReadAsItWas(spec with { Rope = scaling == RopeScaling.None ? spec.Rope : Stretched(scaling) });
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

    /// <summary>Arrays of a record are equal only where they are one array.</summary>
    private static void AssertSame(TransformerSpec expected, TransformerSpec actual)
    {
        Assert.Equal(expected.Windows.ToArray(), actual.Windows.ToArray());
        Assert.Equal(expected.Biases.ToArray(), actual.Biases.ToArray());
        Assert.Equal(expected.LayerNorms.ToArray(), actual.LayerNorms.ToArray());
        Assert.Equal(expected.Rope.Divisors.ToArray(), actual.Rope.Divisors.ToArray());
        Assert.Equal(
            expected,
            actual with
            {
                Windows = expected.Windows,
                Biases = expected.Biases,
                LayerNorms = expected.LayerNorms,
                Rope = actual.Rope with { Divisors = expected.Rope.Divisors },
            });
    }

    private static LoadedModel Model(TransformerSpec spec) => new("m", TinyModel.Create(seed: 1, Arithmetic.Exact, spec: spec), new ModelText("m"), new GenerationDefaults());

    private static TransformerSpec SpecOf(string family) => TinyModel.DefaultSpec with
    {
        Architecture = family,
        Windows = [0, 0],
        Biases = family == "qwen2" ? [SiteRole.Query, SiteRole.Key, SiteRole.Value] : [],
        Rope = new RopeSpec { Theta = 50_000, OriginalContext = TinyModel.DefaultSpec.ContextLength },
    };

    /// <summary>A rope that stretches a context of 128 to that of the tiny model, 512.</summary>
    private static RopeSpec Stretched(RopeScaling scaling)
    {
        var rope = new RopeSpec { Theta = 50_000, Scaling = scaling, Factor = 4, OriginalContext = 128 };
        return scaling switch
        {
            RopeScaling.Yarn => rope with { BetaFast = 16, BetaSlow = 2, AttentionFactor = 1.2f, Truncate = false },
            RopeScaling.Llama3 => rope with { LowFrequencyFactor = 1.5, HighFrequencyFactor = 6 },
            _ => rope,
        };
    }
}
