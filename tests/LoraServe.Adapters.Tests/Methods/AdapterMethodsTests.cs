using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Merging;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Methods;

/// <summary>What holds for the readers of all methods.</summary>
public sealed class AdapterMethodsTests
{
    private static readonly int[] s_tokens = [3, 1, 4, 1, 5, 9, 2, 6];

    public static TheoryData<string> Mergeable => [.. MethodAdapters.Mergeable];

    public static TheoryData<string> Unmergeable => [.. MethodAdapters.Unmergeable];

    public static TheoryData<string> All => [.. MethodAdapters.Mergeable, .. MethodAdapters.Unmergeable];

    [Theory]
    [MemberData(nameof(All))]
    public void Load_SmallAdapter_ChangesLogitsAndReportsWhere(string method)
    {
        PlainModel model = AdapterBuilder.TinyBase;
        Adapter adapter = MethodAdapters.Build(method).Load();
        Assert.NotEmpty(adapter.Report.MatchedModules);
        Assert.True(adapter.Edits.All(edit => edit is BiasDelta) || adapter.Report.DeltaNorms.Values.Any(norm => norm > 0 && double.IsFinite(norm)));
        Assert.True(adapter.ByteLength > 0);
        Assert.Equal(new PlainAdapter(adapter).VirtualRows, adapter.Report.VirtualRows);
        Assert.True(Difference(Served(model, adapter), new PlainForward(model).Logits(s_tokens)) > 1e-4);
    }

    [Theory]
    [MemberData(nameof(Mergeable))]
    public void Load_ChangeOfWeights_ServesWhatItsMergeServes(string method)
    {
        PlainModel model = AdapterBuilder.TinyBase;
        Adapter adapter = MethodAdapters.Build(method).Load();
        double[][] merged = new PlainForward(model.Spec, MergedModel.Create(model, adapter, 0.7f)).Logits(s_tokens);
        Assert.True(Difference(Served(model, adapter), merged) < 1e-4);
    }

    [Theory]
    [MemberData(nameof(Unmergeable))]
    public void Load_NoChangeOfWeights_IsNotMerged(string method)
    {
        PlainModel model = AdapterBuilder.TinyBase;
        Adapter adapter = MethodAdapters.Build(method).Load();
        Assert.Contains("cannot be merged", Assert.Throws<MergeException>(() => MergedModel.Create(model, adapter)).Message, StringComparison.Ordinal);
        Assert.Throws<MergeException>(() => AdapterCombination.Combine([new WeightedAdapter(adapter, 1)], model, new CombinationOptions()));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Load_TensorMissingMisshapenOrNotFinite_IsRefusedByName(string method)
    {
        AdapterBuilder builder = MethodAdapters.Build(method);
        foreach (string name in builder.Names.ToArray())
        {
            (Tensor original, float[] values, long[] shape) = (builder.At(name), builder.Values(name), builder.Shape(name));
            builder.Remove(name);
            AssertRefused(builder, name);
            builder.Add(name, [.. values, .. values], [shape[0] * 2, .. shape[1..]]);
            AssertRefused(builder, name);
            builder.Add(name, [float.NaN, .. values[1..]], shape);
            AssertRefused(builder, name);
            builder.Restore(name, original);
        }

        builder.Add("something.else", [1], 1);
        AssertRefused(builder, "something.else");
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Load_FieldThatNobodyKnows_IsRefusedByName(string method)
    {
        AdapterBuilder builder = MethodAdapters.Build(method);
        (builder.Config["config"] as JsonObject ?? builder.Config)["rotates_everything"] = true;
        AssertRefused(builder, "rotates_everything");
    }

    [Theory]
    [InlineData("ADALORA", "lora_E", 0)]
    [InlineData("VERA", "vera_lambda_b", 0)]
    [InlineData("VERA from seed", "vera_lambda_d", 0)]
    [InlineData("IA3", "ia3_l", 1)]
    [InlineData("OFT", "oft_R", 0)]
    [InlineData("FOURIERFT", "fourierft_spectrum", 0)]
    [InlineData("RANDLORA", "randlora_lambda", 0)]
    [InlineData("ADAPTION_PROMPT", "adaption_gate", 0)]
    [InlineData("compacter", "adapter_up", 0)]
    [InlineData("LOHA", "hada_w2_a", 0)]
    [InlineData("LOKR", "lokr_w1", 0)]
    [InlineData("VBLORA", "bank", 0)]
    [InlineData("SHIRA", "shira_weight", 0)]
    [InlineData("C3A", "c3a_kernel", 0)]
    [InlineData("WAVEFT", "waveft_spectrum", 0)]
    [InlineData("DELORA", "delora_B", 0)]
    [InlineData("GRALORA", "gralora_B", 0)]
    [InlineData("HIRA", "hira_B", 0)]
    [InlineData("PVERA", "pvera_lambda_b", 0)]
    [InlineData("BEFT", "beft_bias", 0)]
    [InlineData("MISS", "miss_block", 0)]
    [InlineData("MISS bat", "miss_block", 0)]
    public void Load_UntrainedAdapter_IsRefused(string method, string tensors, float value)
    {
        AdapterBuilder builder = MethodAdapters.Build(method);
        foreach (string name in builder.Names.Where(name => name.Contains(tensors, StringComparison.Ordinal)).ToArray())
        {
            builder.Add(name, [.. Enumerable.Repeat(value, builder.Values(name).Length)], builder.Shape(name));
        }

        AssertRefused(builder, "change nothing");
        Assert.All(builder.Load(new AdapterLimits { AllowNoEffect = true }).Report.DeltaNorms.Values, norm => Assert.Equal(0, norm));
    }

    [Fact]
    public void Load_BaseValuesAsReplacements_AreRefusedAsWithoutEffect()
    {
        PlainModel model = AdapterBuilder.TinyBase;
        AdapterBuilder norms = MethodAdapters.Build("LN_TUNING");
        foreach (BaseNorm norm in model.Norms.Where(norm => norms.Names.Contains($"{norm.Path}.ln_tuning_layers.weight")))
        {
            norms.Add($"{norm.Path}.ln_tuning_layers.weight", model.Parameters(norm), norm.Width);
        }

        AssertRefused(norms, "change nothing");
        AdapterBuilder tokens = MethodAdapters.Build("TRAINABLE_TOKENS");
        FloatMatrix table = model.Weight(model.At(Site.Embedding));
        tokens.Add("model.embed_tokens.trainable_tokens_delta", [.. table.Row(4), .. table.Row(1), .. table.Row(5)], 3, model.Width);
        AssertRefused(tokens, "change nothing");
    }

    [Theory]
    [InlineData("HRA", "r", 0, "r")]
    [InlineData("OFT", "r", 4, "oft_block_size 4")]
    [InlineData("OFT", "oft_block_size", 0, "oft_block_size 0")]
    [InlineData("OFT", "num_cayley_neumann_terms", 1_000_000_000, "at most 64")]
    [InlineData("OFT", "oft_block_size", 2_000_000_000, "blocks of 8")]
    [InlineData("BOFT", "boft_block_size", 3, "divides the 8 inputs")]
    [InlineData("BOFT", "boft_n_butterfly_factor", 5, "boft_n_butterfly_factor is 5")]
    [InlineData("BOFT", "boft_n_butterfly_factor", 2_000_000_000, "boft_n_butterfly_factor")]
    [InlineData("BOFT", "boft_n_butterfly_factor", 1, "boft_R")]
    [InlineData("FOURIERFT", "n_frequency", 64, "fewer than the 64 elements")]
    [InlineData("ROAD", "variant", "road_3", "expected road_1, road_2 or road_4")]
    [InlineData("ROAD", "variant", "road_4", "road_theta")]
    [InlineData("ROAD", "group_size", 3, "expected an even number")]
    [InlineData("ROAD", "group_size", 8, "a divisor of the 4 outputs")]
    [InlineData("ROAD", "group_size", int.MaxValue - 1, "a divisor of the 8 outputs")]
    [InlineData("C3A", "block_size", 3, "a divisor of the 8 inputs and 8 outputs")]
    [InlineData("C3A", "block_size", int.MaxValue, "a divisor of the 8 inputs")]
    [InlineData("C3A", "block_size", 2, "c3a_kernel")]
    [InlineData("WAVEFT", "n_frequency", 65, "at most the 64 elements")]
    [InlineData("WAVEFT", "n_frequency", int.MaxValue, "at most the 64 elements")]
    [InlineData("WAVEFT", "proportional_parameters", true, "waveft_spectrum")]
    [InlineData("WAVEFT", "wavelet_family", "db11", "expected one of db1, db2")]
    [InlineData("WAVEFT", "wavelet_family", "coif5", "expected one of db1, db2")]
    [InlineData("DELORA", "r", int.MaxValue, "delora_A")]
    [InlineData("GRALORA", "gralora_k", 3, "a multiple of gralora_k, which is 3")]
    [InlineData("GRALORA", "r", 6, "gralora_A")]
    [InlineData("GRALORA", "r", int.MaxValue - 1, "gralora_A")]
    [InlineData("GRALORA", "hybrid_r", 0, "gralora_A_general")]
    [InlineData("GRALORA", "hybrid_r", int.MaxValue, "gralora_A_general")]
    [InlineData("HIRA", "r", int.MaxValue, "hira_")]
    [InlineData("PVERA", "r", int.MaxValue, "pvera_A")]
    [InlineData("PVERA from seed", "r", int.MaxValue, "at most 32")]
    [InlineData("PVERA from seed", "r", 8, "half the length of the tensors 'pvera_lambda_d'")]
    [InlineData("PVERA", "sample_at_inference", true, "only the mean is served")]
    [InlineData("FOURIERFT", "alpha", 0.5, "alpha")]
    [InlineData("RANDLORA", "r", 2_000_000_000, "randlora_A")]
    [InlineData("RANDLORA from seed", "r", 2_000_000_000, "at most 8")]
    [InlineData("RANDLORA from seed", "r", 4, "rows of the tensors 'randlora_lambda'")]
    public void Load_FieldThatDoesNotFit_IsRefusedByName(string method, string field, object value, string expected)
    {
        AdapterBuilder builder = MethodAdapters.Build(method);
        builder.Config[field] = JsonValue.Create(value);
        AssertRefused(builder, expected);
    }

    [Fact]
    public void Load_VectorOfReflectionsThatIsZero_IsRefused()
    {
        AdapterBuilder builder = MethodAdapters.Build("HRA");
        string name = builder.Names.First();
        builder.Add(name, new float[builder.Values(name).Length], builder.Shape(name));
        AssertRefused(builder, "is not finite");
    }

    [Fact]
    public void Load_BasesThatDifferBetweenModules_AreRefused()
    {
        AdapterBuilder builder = MethodAdapters.Build("RANDLORA");
        string name = builder.Names.First(name => name.EndsWith("q_proj.randlora_B", StringComparison.Ordinal));
        builder.AddRandom(name, builder.Shape(name));
        AssertRefused(builder, "differ from those that all modules share");
    }

    [Fact]
    public void Load_AdaLoraWithoutRanksAtAModule_LeavesItAlone()
    {
        AdapterBuilder builder = MethodAdapters.Build("ADALORA");
        BaseModule module = AdapterBuilder.TinyBase.At(new Site(0, SiteRole.Value));
        builder.Config["rank_pattern"] = new JsonObject { [$"{module.Path}.lora_E"] = new JsonArray(false, false, false) };
        builder.Add($"{module.Path}.lora_A", [], 0, module.Inputs);
        builder.Add($"{module.Path}.lora_B", [], module.Outputs, 0);
        builder.Add($"{module.Path}.lora_E", [], 0, 1);
        Adapter adapter = builder.Load();
        Assert.Equal(SiteRole.Query, Assert.IsType<LowRank>(Assert.Single(adapter.Edits)).Site.Role);
        Assert.Equal(0, adapter.Report.DeltaNorms["v_proj"]);
    }

    [Theory]
    [InlineData("use_gating", true)]
    [InlineData("inv_adapter", "nice")]
    [InlineData("ln_before", true)]
    [InlineData("original_ln_after", false)]
    [InlineData("non_linearity", "softmax")]
    [InlineData("scaling", "some")]
    [InlineData("reduction_factor", 0)]
    [InlineData("leave_out", "all")]
    [InlineData("architecture", "lora")]
    public void Load_BottleneckFieldThatIsNotSupported_IsRefusedByName(string field, object value)
    {
        AdapterBuilder builder = MethodAdapters.Build(MethodAdapters.Bottleneck);
        builder.Config["config"]![field] = JsonValue.Create(value);
        AssertRefused(builder, field);
    }

    private static void AssertRefused(AdapterBuilder builder, string what) =>
        Assert.Contains(what, Assert.Throws<AdapterFormatException>(() => builder.Load()).Message, StringComparison.Ordinal);

    private static double[][] Served(PlainModel model, Adapter adapter) => new PlainForward(model).Logits(s_tokens, new PlainAdapter(adapter, 0.7f));

    private static double Difference(double[][] left, double[][] right) =>
        left.Zip(right, (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max()).Max();
}
