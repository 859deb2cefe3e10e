using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Merging;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Loading;

public sealed class AdapterLoaderTests
{
    private static readonly int[] s_tokens = [3, 1, 4, 1, 5, 9, 2, 6];

    public static TheoryData<string> Variants =>
        ["plain", "rslora", "patterns", "dora", "embedding", "embedding-dora", "head", "pissa", "olora", "loftq", "table-saved", "norms", "tokens"];

    [Theory]
    [MemberData(nameof(Variants))]
    public void Load_EachVariant_ServesWhatItsMergeServes(string variant)
    {
        PlainModel model = AdapterBuilder.TinyBase;
        Adapter adapter = Build(variant, model).Load();
        double[][] served = new PlainForward(model).Logits(s_tokens, new PlainAdapter(adapter, 0.7f));
        double[][] merged = new PlainForward(model.Spec, MergedModel.Create(model, adapter, 0.7f)).Logits(s_tokens);
        double[][] plain = new PlainForward(model).Logits(s_tokens);
        Assert.True(Difference(served, merged) < 1e-4, $"differs by {Difference(served, merged)}");
        Assert.True(Difference(served, plain) > 1e-3);
    }

    [Fact]
    public void Load_ReplacedTokens_AreDifferencesOfTheirRowsOfTableAndHead()
    {
        PlainModel model = AdapterBuilder.TinyBase;
        AdapterBuilder builder = Build("plain", model);
        builder.Config["trainable_token_indices"] = new JsonArray(9, 1);
        float[] rows = builder.AddRandom("model.embed_tokens.token_adapter.trainable_tokens_delta", 2, model.Width);
        RowsDelta[] changes = [.. builder.Load().Edits.OfType<RowsDelta>()];
        Assert.Equal([Site.Embedding, Site.Head], changes.Select(change => change.Site));
        float[] row = new float[model.Width];
        foreach (RowsDelta change in changes)
        {
            Assert.Equal([1, 9], change.Tokens);
            foreach ((int token, int place) in (ReadOnlySpan<(int, int)>)[(9, 0), (1, 1)])
            {
                model.CopyWeightRow(Site.Embedding, token, row);
                float[] difference = change.Values.Row(Array.IndexOf(change.Tokens, token)).ToArray();
                Assert.All(rows[(place * model.Width)..((place + 1) * model.Width)].Zip(row.Zip(difference, (a, b) => a + b)), pair => Assert.Equal(pair.First, pair.Second, 5));
            }
        }
    }

    [Fact]
    public void Load_PlainPair_IsScaledByAlphaOverRank()
    {
        PlainModel model = AdapterBuilder.TinyBase;
        var builder = new AdapterBuilder();
        builder.AddPairs(model, 2, magnitude: false, "q_proj", "v_proj");
        (FloatMatrix a, FloatMatrix b) = builder.AddPair(model.At(new Site(0, SiteRole.Query)), 2);
        Adapter adapter = builder.Load();
        LowRank pair = adapter.Edits.OfType<LowRank>().Single(edit => edit.Site == new Site(0, SiteRole.Query));
        Assert.Equal(1.5f, pair.Scale);
        Assert.Equal(a.Values, pair.A.Values);
        Assert.Equal(b.Values, pair.B.Values);
        Assert.Equal("LoRA", adapter.Report.Method);
        Assert.Equal(["model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.v_proj"], adapter.Report.MatchedModules.ToArray());
        Assert.Equal((2, 2), (adapter.Report.MinimumRank, adapter.Report.MaximumRank));
        var change = new FloatMatrix(b.Rows, a.Columns);
        LowRankProduct.Add(change, a, b, 1.5f);
        Assert.Equal(Math.Sqrt(change.Values.Sum(value => (double)value * value)), adapter.Report.DeltaNorms["q_proj"], 5);
        Assert.Matches("^[0-9a-f]{64}$", adapter.Digest);
    }

    [Fact]
    public void Load_Dora_GivesEveryOutputItsMagnitude()
    {
        PlainModel model = AdapterBuilder.TinyBase;
        BaseModule module = model.At(new Site(0, SiteRole.Query));
        AdapterBuilder builder = Build("dora", model);
        (FloatMatrix a, FloatMatrix b) = builder.AddPair(module, 2);
        float[] magnitude = builder.AddRandom($"{module.Path}.lora_magnitude_vector", module.Outputs);
        MergedModel merged = MergedModel.Create(model, builder.Load());
        float[] row = new float[module.Inputs];
        float[] direction = new float[module.Inputs];
        for (int output = 0; output < module.Outputs; output++)
        {
            model.CopyWeightRow(module.Site, output, direction);
            LowRankProduct.AddRow(direction, a, b.Row(output), 1.5f);
            double norm = Math.Sqrt(direction.Sum(value => (double)value * value));
            merged.CopyWeightRow(module.Site, output, row);
            Assert.All(row.Zip(direction), pair => Assert.Equal(magnitude[output] * pair.Second / norm, pair.First, 5));
        }
    }

    [Theory]
    [InlineData("pissa")]
    [InlineData("olora")]
    public void Load_InitialStateOfAMethodThatSplitsTheBase_ChangesNothing(string initialization)
    {
        PlainModel model = AdapterBuilder.TinyBase;
        BaseModule module = model.At(new Site(0, SiteRole.Query));
        FloatMatrix weight = model.Weight(module);
        LowRank residual = initialization == "pissa"
            ? Residual.Pissa(module.Site, weight, 2)
            : Residual.Olora(module.Site, weight, 2, 1.5f);
        var builder = new AdapterBuilder { Config = { ["init_lora_weights"] = initialization, ["target_modules"] = new JsonArray("q_proj") } };
        builder.Add($"{module.Path}.lora_A.weight", residual.A.Values, 2, module.Inputs);
        builder.Add($"{module.Path}.lora_B.weight", Array.ConvertAll(residual.B.Values, value => initialization == "pissa" ? value / 1.5f : value), module.Outputs, 2);
        Assert.Contains("change nothing", Assert.Throws<AdapterFormatException>(() => builder.Load()).Message, StringComparison.Ordinal);
    }

    /// <summary>What such a method leaves of the base's weight may lie in the file: then nothing more is taken away.</summary>
    [Theory]
    [InlineData("pissa")]
    [InlineData("olora")]
    [InlineData("loftq")]
    public void Load_RestOfTheBaseInTheFile_IsTakenAsItIs(string initialization)
    {
        PlainModel model = AdapterBuilder.TinyBase;
        BaseModule module = model.At(new Site(0, SiteRole.Query));
        var builder = new AdapterBuilder { Config = { ["init_lora_weights"] = initialization, ["target_modules"] = new JsonArray("q_proj") } };
        (FloatMatrix a, FloatMatrix b) = builder.AddPair(module, 2);
        float[] rest = builder.AddRandom($"{module.Path}.base_layer.weight", module.Outputs, module.Inputs);
        FloatMatrix merged = MergedModel.Create(model, builder.Load()).Weight(module);
        for (int output = 0; output < module.Outputs; output++)
        {
            float[] expected = [.. rest.AsSpan(output * module.Inputs, module.Inputs)];
            LowRankProduct.AddRow(expected, a, b.Row(output), 1.5f);
            Assert.All(expected.Zip(merged.Row(output).ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        }
    }

    [Fact]
    public void Load_UntrainedAdapter_IsRefusedUnlessAllowed()
    {
        PlainModel model = AdapterBuilder.TinyBase;
        AdapterBuilder builder = Build("plain", model);
        foreach (string name in (string[])["q_proj", "v_proj"])
        {
            BaseModule module = model.Modules.Single(module => module.Name == name);
            builder.Add($"{module.Path}.lora_B.weight", new float[module.Outputs * 2], module.Outputs, 2);
        }

        Assert.Contains("change nothing", Assert.Throws<AdapterFormatException>(() => builder.Load()).Message, StringComparison.Ordinal);
        Assert.Equal(0, builder.Load(new AdapterLimits { AllowNoEffect = true }).Report.DeltaNorms["q_proj"]);
    }

    [Fact]
    public void Load_UntrainedDora_IsRefused()
    {
        PlainModel model = AdapterBuilder.TinyBase;
        BaseModule module = model.At(new Site(0, SiteRole.Query));
        var builder = new AdapterBuilder { Config = { ["use_dora"] = true, ["target_modules"] = new JsonArray("q_proj") } };
        builder.AddPair(module, 2);
        builder.Add($"{module.Path}.lora_B.weight", new float[module.Outputs * 2], module.Outputs, 2);
        FloatMatrix weight = model.Weight(module);
        builder.Add($"{module.Path}.lora_magnitude_vector", [.. Enumerable.Range(0, module.Outputs).Select(row => (float)Math.Sqrt(weight.Row(row).ToArray().Sum(value => (double)value * value)))], module.Outputs);
        Assert.Contains("change nothing", Assert.Throws<AdapterFormatException>(() => builder.Load()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("use_qalora", 1)]
    [InlineData("layer_replication", "[[0, 1]]")]
    [InlineData("target_parameters", "[\"experts\"]")]
    [InlineData("kasa_config", "{\"rank\": 1}")]
    [InlineData("some_future_switch", true)]
    [InlineData("some_future_factor", 2)]
    [InlineData("init_lora_weights", "corda")]
    [InlineData("bias", "some")]
    [InlineData("r", "8")]
    [InlineData("lora_alpha", "8")]
    [InlineData("r", 1.5)]
    [InlineData("use_dora", 1)]
    [InlineData("target_modules", 3)]
    [InlineData("target_modules", "((((")]
    [InlineData("rank_pattern", 4)]
    [InlineData("alpha_pattern", "{\"q_proj\": \"x\"}")]
    [InlineData("alora_invocation_tokens", "[-1]")]
    [InlineData("layers_to_transform", "[\"0\"]")]
    public void Load_FieldThatIsWrongOrUnsupported_IsRefusedByName(string field, object value)
    {
        AdapterBuilder builder = Build("plain", AdapterBuilder.TinyBase);
        builder.Config[field] = value is string text && text.Length > 0 && text[0] is '[' or '{' ? JsonNode.Parse((string)value) : JsonValue.Create(value);
        AdapterFormatException refusal = Assert.Throws<AdapterFormatException>(() => builder.Load());
        Assert.Contains("adapter_config.json", refusal.Message, StringComparison.Ordinal);
        Assert.True(field == "target_modules" || refusal.Message.Contains(field, StringComparison.Ordinal), refusal.Message);
    }

    [Fact]
    public void Load_UnknownFieldsThatAreUnset_AreIgnored()
    {
        AdapterBuilder builder = Build("plain", AdapterBuilder.TinyBase);
        builder.Config["some_future_switch"] = false;
        builder.Config["some_future_config"] = null;
        builder.Config["some_future_map"] = new JsonObject();
        builder.Config["eva_config"] = new JsonObject { ["rho"] = 2 };
        Assert.NotEmpty(builder.Load().Edits);
    }

    [Theory]
    [InlineData("POLY")]
    public void Load_OtherMethod_IsRefusedWithWhatIsSupported(string type)
    {
        AdapterBuilder builder = Build("plain", AdapterBuilder.TinyBase);
        builder.Config["peft_type"] = type;
        string message = Assert.Throws<AdapterFormatException>(() => builder.Load()).Message;
        Assert.Contains(type, message, StringComparison.Ordinal);
        Assert.Contains("LORA", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NameThatTheBaseLacks_IsReported()
    {
        AdapterBuilder builder = Build("plain", AdapterBuilder.TinyBase);
        builder.Config["target_modules"] = new JsonArray("q_proj", "v_proj", "query_key_value");
        Assert.Equal("query_key_value", Assert.Single(builder.Load().Report.UnmatchedModules));
    }

    [Fact]
    public void Load_InvocationTokenBeyondTheVocabulary_IsRefused()
    {
        AdapterBuilder builder = Build("plain", AdapterBuilder.TinyBase);
        builder.Config["alora_invocation_tokens"] = new JsonArray(3, 99);
        Assert.Contains("99", Assert.Throws<AdapterFormatException>(() => builder.Load()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FileOverTheLimit_IsRefused()
    {
        AdapterBuilder builder = Build("plain", AdapterBuilder.TinyBase);
        Assert.Contains("expected at most 100", Assert.Throws<AdapterFormatException>(() => builder.Load(new AdapterLimits { MaximumFileBytes = 100 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SameFiles_HaveTheSameDigest()
    {
        AdapterBuilder builder = Build("plain", AdapterBuilder.TinyBase);
        string digest = builder.Load().Digest;
        Assert.Equal(digest, builder.Load().Digest);
        builder.Config["lora_alpha"] = 4;
        Assert.NotEqual(digest, builder.Load().Digest);
    }

    private static double Difference(double[][] a, double[][] b) =>
        a.SelectMany(row => row).Zip(b.SelectMany(row => row), (x, y) => Math.Abs(x - y)).Max();

    private static AdapterBuilder Build(string variant, PlainModel model)
    {
        var builder = new AdapterBuilder();
        JsonObject config = builder.Config;
        switch (variant)
        {
            case "plain":
                return builder.AddPairs(model, 2, false, "q_proj", "v_proj");
            case "rslora":
                config["use_rslora"] = true;
                return builder.AddPairs(model, 2, false, "q_proj", "v_proj");
            case "patterns":
                config["rank_pattern"] = new JsonObject { [".*\\.v_proj"] = 3 };
                config["alpha_pattern"] = new JsonObject { ["self_attn.q_proj"] = 5 };
                return builder.AddPairs(model, 2, false, "q_proj").AddPairs(model, 3, false, "v_proj");
            case "dora":
                config["use_dora"] = true;
                return builder.AddPairs(model, 2, true, "q_proj", "v_proj");
            case "embedding":
                config["target_modules"] = new JsonArray("embed_tokens");
                return builder.AddPairs(model, 2, false, "embed_tokens");
            case "embedding-dora":
                config["target_modules"] = new JsonArray("embed_tokens");
                config["use_dora"] = true;
                return builder.AddPairs(model, 2, true, "embed_tokens");
            case "head":
                config["target_modules"] = new JsonArray("lm_head");
                return builder.AddPairs(model, 2, false, "lm_head");
            case "table-saved":
                config["modules_to_save"] = new JsonArray("embed_tokens");
                builder.AddRandom("model.embed_tokens.weight", model.VocabularySize, model.Width);
                builder.AddRandom("lm_head.weight", model.VocabularySize, model.Width);
                return builder.AddPairs(model, 2, false, "q_proj", "v_proj");
            case "norms":
                config["modules_to_save"] = new JsonArray("norm");
                foreach (BaseNorm norm in model.Norms.Where(norm => norm.Path.EndsWith("norm", StringComparison.Ordinal)))
                {
                    builder.AddRandom($"{norm.Path}.weight", norm.Width);
                }

                return builder.AddPairs(model, 2, false, "q_proj", "v_proj");
            case "tokens":
                config["trainable_token_indices"] = new JsonArray(9, 1, 4);
                builder.AddRandom("model.embed_tokens.token_adapter.trainable_tokens_delta", 3, model.Width);
                return builder.AddPairs(model, 2, false, "q_proj", "v_proj");
            default:
                config["init_lora_weights"] = variant;
                return builder.AddPairs(model, 2, false, "q_proj", "v_proj");
        }
    }
}
