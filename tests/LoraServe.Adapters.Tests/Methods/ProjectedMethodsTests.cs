using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Testing;

namespace LoraServe.Adapters.Tests.Methods;

/// <summary>Methods that project, mix or replace parts of weights: what comes out is what PEFT's formulas say, in plain float64, and what does not fit is refused.</summary>
public sealed class ProjectedMethodsTests
{
    /// <summary>Every adapter on maps of nn.Linear and Conv1D, with biases and without.</summary>
    public static TheoryData<string, bool, bool> Cases()
    {
        var cases = new TheoryData<string, bool, bool>();
        foreach (string name in ProjectedAdapters.Mergeable)
        {
            foreach ((bool hasBias, bool isTransposed) in (ReadOnlySpan<(bool, bool)>)[(false, false), (true, false), (false, true), (true, true)])
            {
                cases.Add(name, hasBias, isTransposed);
            }
        }

        return cases;
    }

    /// <summary>What is made of the base's weight would be another of the one that the file brings.</summary>
    [Theory]
    [InlineData("DEFT")]
    [InlineData("GLORA")]
    [InlineData("PEANUT")]
    [InlineData("LORA kasa")]
    [InlineData("HRA")]
    [InlineData("MISS bat")]
    public void Load_AnotherWeightBelowAChangeThatIsMadeOfIt_IsRefused(string name)
    {
        AdapterBuilder builder = MethodAdapters.Build(name);
        BaseModule module = AdapterBuilder.TinyBase.Modules.First(module => module.Name == "q_proj");
        builder.AddRandom($"{module.Path}.base_layer.weight", module.Outputs, module.Inputs);
        string refusal = Assert.Throws<AdapterFormatException>(() => builder.Load()).Message;
        Assert.Contains($"'{module.Path}.base_layer.weight' is not what the base has there", refusal, StringComparison.Ordinal);
        builder.Add($"{module.Path}.base_layer.weight", AdapterBuilder.TinyBase.Weight(module).Values, module.Outputs, module.Inputs);
        Assert.NotEmpty(builder.Load().Edits);
    }

    /// <summary>A change of a configuration, and what the refusal must say.</summary>
    public static TheoryData<string, string, object, string> Mistakes => new()
    {
        { "TINYLORA", "r", int.MaxValue, "tinylora_A" },
        { "TINYLORA", "u", int.MaxValue, "at most" },
        { "TINYLORA", "u", 4, "tinylora_v" },
        { "TINYLORA", "weight_tying", 1.5, "weight_tying" },
        { "TINYLORA", "weight_tying", 1.0, "tinylora_v.1" },
        { "TINYLORA", "projection_seed", "x", "projection_seed" },
        { "UNILORA", "r", int.MaxValue, "at most the lesser" },
        { "UNILORA", "theta_d_length", int.MaxValue, "unilora_theta_d" },
        { "UNILORA", "proj_seed", -1, "proj_seed" },
        { "UNILORA", "save_indices", true, "unilora_indices_A" },
        { "UNILORA stored", "theta_d_length", 6, "unilora_theta_d" },
        { "DEFT", "r", 2, "deft_P" },
        { "DEFT", "decomposition_method", "svd", "relu or qr" },
        { "DEFT", "para", true, "deft_R" },
        { "DEFT para", "para", false, "deft_R" },
        { "DEFT", "bias", "some", "deft_only" },
        { "GLORA", "config_A_B", "matrix", "config_A_B" },
        { "GLORA", "config_A_B", "vector", "glora_A.X" },
        { "GLORA", "config_C", "constant", "lora or vector or none" },
        { "GLORA", "config_D_E", "lora", "vector or constant or none" },
        { "GLORA", "r", int.MaxValue, "glora_A.Xd" },
        { "PEANUT", "act_fn", "quick_gelu", "act_fn" },
        { "PEANUT", "depth", 1, "peanut_encoders.0" },
        { "PEANUT", "depth", int.MaxValue, "peanut_encoders.0" },
        { "PEANUT deep", "depth", 1, "peanut_decoders.1" },
        { "PEANUT", "r", int.MaxValue, "peanut_A" },
        { "SUPERTUNING", "sparsity", 1.0, "sparsity" },
        { "SUPERTUNING", "sparsity", 0.999, "leaves none" },
        { "SUPERTUNING", "sparsity", 0.5, "supertuning_values" },
        { "SUPERTUNING", "r", 2, "lora_alpha" },
        { "SUPERTUNING", "lora_alpha", 2, "without 'r'" },
        { "LORA kasa", "kasa_config", new JsonObject { ["delta"] = 1 }, "kasa_config" },
        { "LORA kasa", "kasa_config", 3, "kasa_config" },
        { "LORA kasa", "use_dora", true, "use_dora" },
        { "LORA qalora", "use_dora", true, "use_qalora" },
        { "LORA qalora", "qalora_group_size", 4, "multiple" },
        { "LORA qalora", "qalora_group_size", 3, "lora_A" },
        { "LORA mica", "velora_config", new JsonObject { ["num_groups"] = 0 }, "num_groups" },
        { "LORA mica", "monteclora_config", new JsonObject { ["samples"] = 1 }, "monteclora_config" },
        { "LORA mica", "arrow_config", new JsonObject { ["top_k"] = 2 }, "Arrow" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Load_AnyMethod_ChangesWeightAndBiasAsItsFormulaSays(string name, bool hasBias, bool isTransposed)
    {
        var model = new RectangularBase(hasBias, isTransposed);
        AdapterBuilder builder = ProjectedAdapters.Build(name, model);
        Adapter adapter = builder.Load(model: model);
        Assert.Equal("model.layers.0.self_attn.q_proj, model.layers.0.self_attn.v_proj", string.Join(", ", adapter.Report.MatchedModules));
        int place = 0;
        foreach (BaseModule module in model.Modules.Where(module => module.Name is "q_proj" or "v_proj"))
        {
            var plain = new PlainChange(builder, model, module, place++);
            (double[,] weight, double[] bias) = plain.Of(name);
            (double[,] actualWeight, double[] actualBias) = Changed(adapter, model, module);
            for (int i = 0; i < module.Outputs; i++)
            {
                Assert.Equal(bias[i], actualBias[i], 1e-5);
                for (int j = 0; j < module.Inputs; j++)
                {
                    Assert.Equal(weight[i, j], actualWeight[i, j], 1e-5);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Load_ConfigurationThatDoesNotFit_IsRefusedByName(string name, string field, object value, string expected)
    {
        var model = new RectangularBase(hasBias: true, isTransposed: false);
        AdapterBuilder builder = ProjectedAdapters.Build(name, model);
        builder.Config[field] = value as JsonNode ?? System.Text.Json.JsonSerializer.SerializeToNode(value);
        AssertRefused(builder, model, expected);
    }

    [Theory]
    [InlineData("SUPERTUNING", "model.layers.0.self_attn.q_proj.supertuning_indices", 0, 48, "holds 48")]
    [InlineData("SUPERTUNING", "model.layers.0.self_attn.q_proj.supertuning_indices", 1, 0, "twice")]
    [InlineData("SUPERTUNING", "model.layers.0.self_attn.v_proj.supertuning_indices", 0, -1, "holds -1")]
    [InlineData("UNILORA stored", "model.model.layers.0.self_attn.q_proj.unilora_indices_A", 0, 7, "holds 7")]
    [InlineData("UNILORA stored", "model.model.layers.0.self_attn.q_proj.unilora_indices_B", 0, -1, "holds -1")]
    public void Load_IndexThatDoesNotFit_IsRefusedByName(string name, string tensor, int element, int index, string expected)
    {
        var model = new RectangularBase(hasBias: false, isTransposed: false);
        AdapterBuilder builder = ProjectedAdapters.Build(name, model);
        int[] indices = Array.ConvertAll(builder.Values(tensor), value => (int)value);
        indices[element] = index;
        builder.AddIntegers(tensor, indices, builder.Shape(tensor));
        AssertRefused(builder, model, tensor);
        AssertRefused(builder, model, expected);
    }

    [Fact]
    public void Load_SupertuningWithoutPlaces_IsRefusedWithHowToSaveThem()
    {
        var model = new RectangularBase(hasBias: false, isTransposed: false);
        AdapterBuilder builder = ProjectedAdapters.Build("SUPERTUNING", model);
        builder.Config["save_precomputed_indices"] = false;
        builder.Remove("model.layers.0.self_attn.q_proj.supertuning_indices");
        AssertRefused(builder, model, "save_precomputed_indices");
    }

    [Fact]
    public void Load_GloraOfAScaleOfZero_IsRefused()
    {
        var model = new RectangularBase(hasBias: false, isTransposed: false);
        AdapterBuilder builder = ProjectedAdapters.Build("GLORA constant", model);
        builder.Add("model.layers.0.self_attn.q_proj.glora_A.X", [-1], 1);
        AssertRefused(builder, model, "other than −1");
    }

    [Theory]
    [InlineData("C", 6, true)]
    [InlineData("D", 8, false)]
    public void Load_GloraWithPartsThatAreTurnedOff_TakesZerosOnly(string part, int length, bool isColumn)
    {
        var model = new RectangularBase(hasBias: false, isTransposed: false);
        AdapterBuilder builder = ProjectedAdapters.Build("GLORA", model);
        string name = $"model.layers.0.self_attn.q_proj.glora_{part}.zeros";
        long[] shape = isColumn ? [length, 1] : [length];
        builder.Add(name, new float[length], shape);
        Assert.NotEmpty(builder.Load(model: model).Edits);
        builder.Add(name, [1, .. new float[length - 1]], shape);
        AssertRefused(builder, model, name);
    }

    [Fact]
    public void Load_TinyLoraOfTheTable_AddsToItsRows()
    {
        var model = new RectangularBase(hasBias: false, isTransposed: false);
        AdapterBuilder builder = MethodAdapters.Plain("TINYLORA", "base_model.");
        (builder.Config["target_modules"], builder.Config["r"], builder.Config["u"]) = (new JsonArray("embed_tokens"), 2, 3);
        float[] numbers = builder.AddRandom("tinylora_v.0", 3);
        float[] a = builder.AddRandom("model.model.embed_tokens.tinylora_A", 2, 6);
        float[] b = builder.AddRandom("model.model.embed_tokens.tinylora_B", 5, 2);
        float[] p = builder.AddRandom("model.model.embed_tokens.tinylora_P", 3, 2, 2);
        LowRank edit = Assert.IsType<LowRank>(Assert.Single(builder.Load(model: model).Edits));
        Assert.Equal(Site.Embedding, edit.Site);
        for (int token = 0; token < 5; token++)
        {
            for (int column = 0; column < 6; column++)
            {
                double expected = Enumerable.Range(0, 4).Sum(jk => Enumerable.Range(0, 3).Sum(i => (double)numbers[i] * p[(i * 4) + jk]) * b[(token * 2) + (jk / 2)] * a[(jk % 2 * 6) + column]);
                double actual = Enumerable.Range(0, 2).Sum(k => (double)edit.B.Row(column)[k] * edit.A.Row(k)[token]);
                Assert.Equal(expected, actual, 1e-5);
            }
        }
    }

    [Fact]
    public void Load_VariantsThatTrainOtherwise_AreAPlainPair()
    {
        var model = new RectangularBase(hasBias: false, isTransposed: false);
        AdapterBuilder builder = ProjectedAdapters.Build("LORA mica", model);
        Adapter plain = builder.Load(model: model);
        builder.Config["init_lora_weights"] = true;
        builder.Config["velora_config"] = new JsonObject { ["num_groups"] = 4, ["scale"] = 1.0, ["init_type"] = "random" };
        builder.AddRandom("model.layers.0.self_attn.q_proj.lora_velora_embed", 2);
        Adapter compressed = builder.Load(model: model);
        Assert.Equal(("MiCA", "VeLoRA"), (plain.Report.Method, compressed.Report.Method));
        Assert.Equal(plain.Edits.OfType<LowRank>().SelectMany(pair => pair.A.Values), compressed.Edits.OfType<LowRank>().SelectMany(pair => pair.A.Values));
        builder.Remove("model.layers.0.self_attn.q_proj.lora_velora_embed");
        builder.Config["velora_config"] = null;
        builder.Config["monteclora_config"] = new JsonObject { ["num_samples"] = 2, ["use_entropy"] = true };
        foreach ((string name, long[] shape) in (ReadOnlySpan<(string, long[])>)[("std_prior", [3]), ("expert_weights_prior", [2]), ("expert_weights", [2]), ("gaussian_var_prior", [3, 3])])
        {
            builder.AddRandom($"model.layers.0.self_attn.v_proj.lora_monteclora_sampler.{name}", shape);
        }

        Adapter sampled = builder.Load(model: model);
        Assert.Equal("MonteCLoRA", sampled.Report.Method);
        Assert.Equal(plain.Edits.OfType<LowRank>().SelectMany(pair => pair.B.Values), sampled.Edits.OfType<LowRank>().SelectMany(pair => pair.B.Values));
        builder.AddRandom("model.layers.0.self_attn.v_proj.lora_monteclora_sampler.std_prior", 4);
        AssertRefused(builder, model, "std_prior");
    }

    [Fact]
    public void Load_QaLoraOnAWeightThatIsNotPooled_IsAPlainPair()
    {
        var model = new RectangularBase(hasBias: false, isTransposed: false);
        AdapterBuilder builder = ProjectedAdapters.Build("LORA mica", model);
        (builder.Config["init_lora_weights"], builder.Config["use_qalora"]) = (true, true);
        Assert.Equal(builder.Values("model.layers.0.self_attn.q_proj.lora_A.weight"), Assert.IsType<LowRank>(builder.Load(model: model).Edits[0]).A.Values);
    }

    [Fact]
    public void Load_KasaOfAllSingularValues_IsRefused()
    {
        var model = new RectangularBase(hasBias: false, isTransposed: false);
        AdapterBuilder builder = ProjectedAdapters.Build("LORA kasa", model);
        builder.Config["r"] = 4;
        foreach (BaseModule module in model.Modules.Where(module => module.Name is "q_proj" or "v_proj"))
        {
            builder.AddRandom($"{module.Path}.lora_A.weight", 4, module.Inputs);
            builder.AddRandom($"{module.Path}.lora_B.weight", module.Outputs, 4);
            builder.AddRandom($"{module.Path}.lora_diag", 4);
        }

        AssertRefused(builder, model, "fewer than the lesser");
    }

    [Theory]
    [InlineData(2, "Cartridge")]
    [InlineData(4, "at most num_virtual_tokens")]
    public void Load_CartridgeWithFrozenRows_ReadsAllOfThem(int frozen, string expected)
    {
        AdapterBuilder builder = MethodAdapters.Build("CARTRIDGE");
        builder.Config["num_frozen_tokens"] = frozen;
        if (frozen > 3)
        {
            AssertRefused(builder, AdapterBuilder.TinyBase, expected);
            return;
        }

        Adapter adapter = builder.Load();
        Assert.Equal((expected, 3), (adapter.Report.Method, adapter.Report.VirtualRows));
    }

    /// <summary>PEFT's list of methods, of which none is unknown here: what is not read is refused with why, and what to do.</summary>
    [Theory]
    [InlineData("PROMPT_TUNING MULTITASK_PROMPT_TUNING P_TUNING PREFIX_TUNING LORA ADALORA ADAMSS BOFT ADAPTION_PROMPT IA3 LILY LOHA LOKR OFT POLY LN_TUNING VERA FROD FOURIERFT GLORA")]
    [InlineData("XLORA HRA VBLORA UNILORA CPT MISS BONE RANDLORA TRAINABLE_TOKENS SHIRA OSF CARTRIDGE TINYLORA PSOFT PEANUT SUPERTUNING DEFT")]
    [InlineData("ROAD C3A WAVEFT DELORA GRALORA HIRA PVERA BEFT")]
    public void Load_AnyTypeOfPeft_IsNotUnknown(string types)
    {
        var model = new RectangularBase(hasBias: false, isTransposed: false);
        AdapterBuilder builder = ProjectedAdapters.Build("LORA mica", model);
        builder.Config["some_switch"] = true;
        foreach (string type in types.Split(' '))
        {
            builder.Config["peft_type"] = type;
            string message = Assert.Throws<AdapterFormatException>(() => builder.Load(model: model)).Message;
            Assert.DoesNotContain("; supported are", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("ADAMSS", "clustering")]
    [InlineData("FROD", "inverted")]
    [InlineData("LILY", "all tokens of a batch")]
    [InlineData("OSF", "nearly as large as the model")]
    [InlineData("PSOFT", "convert_to_lora")]
    public void Load_MethodThatIsNotServed_SaysWhyAndWhatToDo(string type, string expected)
    {
        var model = new RectangularBase(hasBias: false, isTransposed: false);
        AdapterBuilder builder = ProjectedAdapters.Build("LORA mica", model);
        builder.Config["peft_type"] = type;
        AssertRefused(builder, model, $"peft_type is {type}, which is not served: ");
        AssertRefused(builder, model, expected);
    }

    [Fact]
    public void Shuffle_SeedsOfNumpy_GiveItsOrders()
    {
        int[] ten = [.. Enumerable.Range(0, 10)];
        int[] five = [.. Enumerable.Range(0, 5)];
        new NumpyGenerator(42).Shuffle(ten);
        new NumpyGenerator(3).Shuffle(five);
        Assert.Equal([5, 6, 0, 7, 3, 2, 4, 9, 1, 8], ten);
        Assert.Equal([4, 2, 1, 3, 0], five);
        Assert.Equal([5, 3, 7, 0, 4], new NumpyGenerator(42).Choose(10, 5));
    }

    [Theory]
    [InlineData(20_000, 10_000)]
    [InlineData(20_000, 20_000)]
    [InlineData(300, 299)]
    public void Choose_AnyNumber_GivesDifferentOnes(int limit, int count)
    {
        int[] chosen = new NumpyGenerator(1).Choose(limit, count);
        Assert.Equal(count, chosen.Distinct().Count());
        Assert.All(chosen, number => Assert.InRange(number, 0, limit - 1));
    }

    /// <summary>What <c>torch.manual_seed(0)</c> and <c>torch.randn</c> give for few numbers and for sixteen.</summary>
    [Fact]
    public void Normal_SeedOfTorch_GivesItsNumbers()
    {
        Assert.Equal([1.5410, -0.2934, -2.1788], new TorchGenerator(0).Normal(3, 1).Select(value => Math.Round(value, 4)));
        Assert.Equal(
            [-1.1258, -1.1524, -0.2506, -0.4339, 0.8487, 0.6920, -0.3160, -2.1152, 0.3223, -1.2633, 0.3500, 0.3081, 0.1198, 1.2377, 1.1168, -0.2473],
            new TorchGenerator(0).Normal(16, 1).Select(value => Math.Round(value, 4)));
    }

    [Theory]
    [InlineData(7, 3)]
    [InlineData(5, 5)]
    [InlineData(4, 1)]
    public void HouseholderQr_AnyMatrix_IsAProductWithLapacksSigns(int rows, int columns)
    {
        var random = new Random(rows);
        var matrix = new FloatMatrix(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)]);
        var qr = new HouseholderQr(matrix);
        for (int i = 0; i < columns; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                Assert.Equal(i == j ? 1 : 0, Enumerable.Range(0, rows).Sum(k => (double)qr.Q.Row(k)[i] * qr.Q.Row(k)[j]), 1e-6);
                double r = Enumerable.Range(0, rows).Sum(k => (double)qr.Q.Row(k)[i] * matrix.Row(k)[j]);
                Assert.True(i <= j || Math.Abs(r) < 1e-6);
            }
        }

        // The first reflection takes the first column to where its leading element does not point; the last of a square matrix is none.
        double leading = Enumerable.Range(0, rows).Sum(k => (double)qr.Q.Row(k)[0] * matrix.Row(k)[0]);
        Assert.True(leading * matrix.Row(0)[0] < 0);
    }

    private static void AssertRefused(AdapterBuilder builder, IBaseModel model, string what) =>
        Assert.Contains(what, Assert.Throws<AdapterFormatException>(() => builder.Load(model: model)).Message, StringComparison.Ordinal);

    /// <summary>The weight and the bias that a module has with the adapter.</summary>
    private static (double[,] Weight, double[] Bias) Changed(Adapter adapter, IBaseModel model, BaseModule module)
    {
        FloatMatrix original = model.Weight(module);
        double[,] weight = new double[module.Outputs, module.Inputs];
        double[] bias = Array.ConvertAll(model.Bias(module), value => (double)value);
        ModuleEdit[] edits = [.. adapter.Edits.OfType<ModuleEdit>().Where(edit => edit.Site == module.Site)];
        for (int i = 0; i < module.Outputs; i++)
        {
            bias[i] += edits.OfType<BiasDelta>().Sum(edit => (double)edit.Values[i]);
            double scale = edits.OfType<OutputScale>().Select(edit => (double)edit.Values[i]).DefaultIfEmpty(1).Single();
            for (int j = 0; j < module.Inputs; j++)
            {
                double pairs = edits.OfType<LowRank>().Sum(pair => pair.Scale * Enumerable.Range(0, pair.Rank).Sum(k => (double)pair.B.Row(i)[k] * pair.A.Row(k)[j]));
                weight[i, j] = scale * (original.Row(i)[j] + pairs + edits.OfType<DenseDelta>().Sum(edit => (double)edit.Values.Row(i)[j]));
            }
        }

        return (weight, bias);
    }
}
