using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Testing;
using LoraServe.Training.Options;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Tests.Methods;

/// <summary>What every method promises.</summary>
public sealed class TrainableAdapterTests : IDisposable
{
    /// <summary>Methods whose first values change something.</summary>
    private static readonly string[] s_beginsElsewhere = ["vblora", "houlsby", "pfeiffer", "prompt", "p-tuning", "prefix", "prefix-projection", "cartridge", "unilora"];

    private readonly TinyTraining _tiny = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    public static TheoryData<string> Methods => [.. TinyTraining.Methods];

    public static TheoryData<string> MethodsThatBeginAsTheBase => [.. MethodTable.Variants.Select(method => method.Name).Except(s_beginsElsewhere)];

    public static TheoryData<string, string, bool> Variants => new()
    {
        { "lora", """{"target_modules": ["embed_tokens", "lm_head", "q_proj"]}""", false },
        { "lora", """{"target_modules": ["embed_tokens", "v_proj"]}""", true },
        { "lora", """{"target_modules": ["up_proj"], "modules_to_save": ["lm_head", "norm"], "bias": "all"}""", false },
        { "lora", """{"target_modules": ["up_proj"], "modules_to_save": ["embed_tokens"], "ensure_weight_tying": true}""", true },
        { "lora", """{"target_modules": ["q_proj"], "lora_bias": true, "bias": "lora_only", "use_rslora": true}""", false },
        { "lora", """{"target_modules": ["k_proj"], "trainable_token_indices": [9, 3, 7, 60, 12, 44, 91, 33]}""", true },
        { "p-tuning", """{"encoder_reparameterization_type": "LSTM", "encoder_hidden_size": 9, "encoder_num_layers": 2}""", false },
        { "houlsby", """{"scaling": "learned", "non_linearity": "tanh"}""", false },
        { "houlsby", """{"scaling": "channel", "non_linearity": "gelu_new", "leave_out": [0]}""", false },
        { "parallel", """{"mh_adapter": true, "non_linearity": "sigmoid"}""", true },
        { "loha", """{"r": 6, "rank_pattern": {"v_proj": 2}, "alpha_pattern": {"q_proj": 3}}""", false },
        { "loha", """{"init_weights": false, "target_modules": ["k_proj"]}""", false },
        { "lokr", """{"r": 2, "decompose_both": true, "target_modules": ["q_proj", "down_proj"]}""", false },
        { "lokr", """{"r": 60, "decompose_factor": 4, "init_weights": "lycoris"}""", false },
        { "lokr", """{"r": 1, "decompose_factor": 24, "target_modules": ["up_proj", "k_proj"]}""", true },
        { "vblora", """{"topk": 5, "num_vectors": 5, "vector_length": 8, "init_vector_bank_bound": 0.1, "save_only_topk_weights": true}""", false },
        { "shira", """{"init_weights": false, "r": 2, "target_modules": ["down_proj", "k_proj"]}""", false },
        { "miss", """{"init_weights": "bat", "r": 8}""", false },
        { "miss", """{"init_weights": "mini", "mini_r": 12, "r": 7, "target_modules": ["q_proj", "k_proj"]}""", false },
        { "miss", """{"init_weights": false, "r": 10, "target_modules": ["lm_head", "v_proj"]}""", true },
        { "hra", """{"apply_GS": true, "init_weights": false}""", false },
        { "hra", """{"r": 3}""", false },
        { "oft", """{"block_share": true, "use_cayley_neumann": false}""", false },
        { "oft", """{"oft_block_size": 0, "r": 6, "num_cayley_neumann_terms": 3}""", false },
        { "oft", """{"num_cayley_neumann_terms": 2}""", true },
        { "boft", """{"boft_n_butterfly_factor": 3}""", false },
        { "boft", """{"boft_block_size": 0, "boft_block_num": 8, "boft_n_butterfly_factor": 2}""", true },
        { "fourierft", """{"init_weights": false, "target_modules": ["down_proj", "k_proj"], "n_frequency_pattern": {"k_proj": 30}}""", false },
        { "randlora", """{"save_projection": true, "sparse": true, "target_modules": ["down_proj", "v_proj"]}""", false },
        { "adaption-prompt", """{"adapter_layers": 2, "adapter_len": 9}""", true },
        { "road", """{"variant": "road_2", "target_modules": ["q_proj", "down_proj"]}""", false },
        { "road", """{"variant": "road_4", "group_size": 4, "init_weights": false}""", false },
        { "c3a", """{"block_size": 16, "init_weights": "xavier_uniform", "target_modules": ["k_proj", "o_proj"], "block_size_pattern": {"o_proj": 4}}""", false },
        { "waveft", """{"wavelet_family": "coif2", "init_weights": false, "proportional_parameters": true, "n_frequency": 70, "target_modules": ["down_proj", "k_proj"]}""", false },
        { "waveft", """{"use_idwt": false, "n_frequency_pattern": {"k_proj": 30}, "target_modules": ["up_proj", "k_proj"]}""", false },
        { "delora", """{"init_weights": false, "rank_pattern": {"v_proj": 2}, "lambda_pattern": {"q_proj": 3}}""", false },
        { "gralora", """{"r": 4, "gralora_k": 4, "hybrid_r": 3}""", false },
        { "gralora", """{"r": 24, "gralora_k": 2, "hybrid_r": 2, "init_weights": false, "target_modules": ["k_proj", "up_proj"]}""", false },
        { "hira", """{"init_weights": false, "rank_pattern": {"k_proj": 2}, "target_modules": ["k_proj", "down_proj"]}""", false },
        { "hira", """{"init_weights": "gaussian", "target_modules": ["lm_head", "v_proj"]}""", true },
        { "tinylora", """{"r": 3, "u": 6, "weight_tying": 0.5, "save_projection": false, "target_modules": ["q_proj", "down_proj"]}""", false },
        { "tinylora", """{"init_weights": "uniform", "init_v_bound": 0.3, "weight_tying": 1.0}""", true },
        { "unilora", """{"save_indices": true, "theta_d_length": 40, "init_theta_d_bound": 0.3, "target_modules": ["down_proj", "q_proj"]}""", false },
        { "deft", """{"decomposition_method": "qr", "r": 5, "alpha": 10}""", false },
        { "deft", """{"decomposition_method": "qr", "para": true, "target_modules": ["k_proj", "up_proj"]}""", true },
        { "glora", """{"init_weights": false, "config_A_B": "vector", "config_C": "vector", "config_D_E": "vector"}""", false },
        { "glora", """{"init_weights": false, "config_A_B": "constant", "config_C": "none", "target_modules": ["q_proj", "down_proj"]}""", true },
        { "glora", """{"init_weights": false, "r": 3, "target_modules": ["q_proj", "down_proj"]}""", false },
        { "peanut", """{"init_weights": false, "depth": 2, "act_fn": "tanh", "r": 6, "scaling": 2.0}""", false },
        { "supra", """{"sparsity": 0.9, "select_top": false, "target_modules": ["down_proj", "k_proj"]}""", false },
        { "cartridge", """{"num_frozen_tokens": 2}""", false },
        { "vera", """{"save_projection": false, "target_modules": ["down_proj", "q_proj"]}""", false },
    };

    public static TheoryData<string> MethodsOfAdapters => [.. TinyTraining.Methods.Except(["full"])];

    [Theory]
    [MemberData(nameof(MethodsThatBeginAsTheBase))]
    public void Create_MethodThatBeginsAsTheBase_LeavesLogitsAsTheyAre(string method)
    {
        using ResidentAdapter first = _tiny.Model.Place(_tiny.Create(method).Edits());

        float[] expected = _tiny.Logits();
        float[] actual = _tiny.Logits(first);

        float tolerance = method is "dora" or "pissa" or "olora" or "hra" ? 1e-4f : 0;
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Step_ManyOnTheSameRows_LowerTheLoss(string method)
    {
        TrainingExample[] rows = TinyTraining.Rows(3);
        // A gate that begins closed opens by the rate a step, and C3A's change is divided by the number of inputs, so these take larger steps, as is usual with them.
        using AdapterTraining training = _tiny.Train(_tiny.Create(method), method switch { "full" => 1e-3, "adaption-prompt" or "c3a" => 1e-1, _ => 2e-2 });

        double first = _tiny.Step(training, rows).Loss;
        double last = first;
        for (int step = 1; step < 20; step++)
        {
            last = _tiny.Step(training, rows).Loss;
        }

        Assert.True(last < 0.9 * first, $"{first} became {last}");
    }

    /// <summary>Along a direction through all of a parameter's elements, half the gradient's own and half random, the loss changes as the gradient says.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public void Pull_AnyValues_GivesTheSlopeOfTheLoss(string method)
    {
        // The norm in DoRA's scale counts as constant, so A's and B's gradients are not the slope.
        CheckSlopes(_tiny, _tiny.Create(Smooth(method)), parameter => method != "dora" || parameter.Name.EndsWith("magnitude_vector", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    [InlineData("full", "{}", true)]
    public void Pull_VariantOfAMethod_GivesTheSlopeOfTheLoss(string method, string config, bool tiedHead)
    {
        using var tiny = new TinyTraining(tiedHead);
        TrainableAdapter adapter = tiny.Create(TinyTraining.Options(method) with { PeftConfig = JsonNode.Parse(config)!.AsObject() });
        CheckSlopes(tiny, adapter, _ => true);
    }

    /// <summary>GPT-2's attention, whose map is one for queries, keys and values, and Llama's with a bias of the output projection.</summary>
    public static TheoryData<bool> OtherAttention => [true, false];

    [Theory]
    [MemberData(nameof(OtherAttention))]
    public void Pull_AdaptionPromptOfOtherAttention_GivesTheSlopeOfTheLossAndIsServedAsTrained(bool isGpt2)
    {
        SiteRole[] maps = [SiteRole.QueryKeyValue, SiteRole.Output, SiteRole.Up, SiteRole.Down];
        using var tiny = new TinyTraining(spec: isGpt2
            ? TinyModel.DefaultSpec with { Architecture = "gpt2", LearnsPositions = true, KeyValueHeads = 4, HeadSize = 16, Linears = [.. maps], Biases = [.. maps] }
            : TinyModel.DefaultSpec with { Biases = [SiteRole.Value, SiteRole.Output] });
        TrainableAdapter adapter = tiny.Create(TinyTraining.Options("adaption-prompt") with { PeftConfig = new() { ["adapter_layers"] = 2 } });
        Assert.Equal(isGpt2 ? 2 : 4, adapter.Edits().Count);
        CheckSlopes(tiny, adapter, _ => true);

        using AdapterTraining training = tiny.Train(adapter);
        tiny.Step(training, TinyTraining.Rows(1));
        adapter.Save(_folder);
        using ResidentAdapter served = tiny.Model.Place(AdapterLoader.Load(_folder, tiny.Model));
        Assert.Equal(tiny.Logits(training.Resident), tiny.Logits(served));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    [InlineData("vblora", """{"topk": 3, "num_vectors": 300, "save_only_topk_weights": true}""", false)]
    [InlineData("vblora", """{"topk": 1, "num_vectors": 9, "target_modules": ["o_proj"], "save_only_topk_weights": true}""", false)]
    public void Save_VariantOfAMethod_IsServedBitForBitAsItWasTrained(string method, string config, bool tiedHead)
    {
        using var tiny = new TinyTraining(tiedHead);
        using AdapterTraining training = tiny.Train(tiny.Create(TinyTraining.Options(method) with { PeftConfig = JsonNode.Parse(config)!.AsObject() }));
        tiny.Step(training, TinyTraining.Rows(1));
        tiny.Step(training, TinyTraining.Rows(2));

        training.Adapter.Save(_folder);
        using ResidentAdapter served = tiny.Model.Place(AdapterLoader.Load(_folder, tiny.Model));

        Assert.Equal(tiny.Logits(training.Resident), tiny.Logits(served));
    }

    [Theory]
    [MemberData(nameof(MethodsOfAdapters))]
    public void Save_AfterTraining_IsServedBitForBitAsItWasTrained(string method)
    {
        using AdapterTraining training = Trained(method);

        training.Finish();
        training.Adapter.Save(_folder);
        ResidentAdapter[] served = [.. Parts(method).Select(part => _tiny.Model.Place(AdapterLoader.Load(part, _tiny.Model)))];

        Assert.Equal(_tiny.Logits(training.Resident), _tiny.Logits(served));
        Array.ForEach(served, adapter => adapter.Dispose());
    }

    [Theory]
    [InlineData("lora")]
    [InlineData("dora")]
    [InlineData("pissa")]
    [InlineData("vera")]
    [InlineData("ia3")]
    [InlineData("loha")]
    [InlineData("lokr")]
    [InlineData("vblora")]
    [InlineData("shira")]
    [InlineData("miss")]
    [InlineData("hra")]
    [InlineData("oft")]
    [InlineData("boft")]
    [InlineData("fourierft")]
    [InlineData("randlora")]
    [InlineData("road")]
    [InlineData("c3a")]
    [InlineData("waveft")]
    [InlineData("delora")]
    [InlineData("gralora")]
    [InlineData("hira")]
    [InlineData("beft")]
    [InlineData("tinylora")]
    [InlineData("unilora")]
    [InlineData("deft")]
    [InlineData("glora")]
    [InlineData("peanut")]
    [InlineData("supertuning")]
    [InlineData("supra")]
    [InlineData("cartridge")]
    [InlineData("houlsby")]
    [InlineData("prompt")]
    [InlineData("prefix")]
    [InlineData("adaption-prompt")]
    [InlineData("bitfit")]
    [InlineData("ln")]
    [InlineData("lora,prompt")]
    public void Create_FromASavedAdapter_GoesOnWithItsValues(string method)
    {
        using AdapterTraining training = Trained(method);
        training.Adapter.Save(_folder);

        TrainableAdapter again = _tiny.Create(TinyTraining.Options(method, seed: 99) with { InitFrom = _folder });

        Assert.Equal(training.Adapter.Parameters.Select(parameter => parameter.Name), again.Parameters.Select(parameter => parameter.Name));
        Assert.Equal(training.Adapter.Parameters.SelectMany(parameter => parameter.Values), again.Parameters.SelectMany(parameter => parameter.Values));
        using ResidentAdapter resident = _tiny.Model.Place(again.Edits());
        Assert.Equal(_tiny.Logits(training.Resident), _tiny.Logits(resident));
    }

    [Fact]
    public void Create_FromASavedAdapterWithoutNamingARank_KeepsItsOwn()
    {
        _tiny.Create(TinyTraining.Options("lora") with { Rank = 11, Alpha = 3 }).Save(_folder);

        TrainableAdapter again = _tiny.Create(TinyTraining.Options("lora") with { InitFrom = _folder, Rank = null });

        Assert.Equal(11, again.Parameters[0].Shape[0]);
        Assert.Equal(3, again.Config["lora_alpha"]!.GetValue<double>());
    }

    [Theory]
    [InlineData("p-tuning")]
    [InlineData("prefix-projection")]
    public void Create_FromRowsWhoseEncoderIsNotSaved_IsRefused(string method)
    {
        _tiny.Create(method).Save(_folder);

        var refused = Assert.Throws<TrainingOptionsException>(() => _tiny.Create(TinyTraining.Options(method) with { InitFrom = _folder }));
        Assert.Contains("cannot be trained on", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lora", 7, 1e-5)]
    [InlineData("rslora", 9, 1e-5)]
    [InlineData("lora", 2, double.PositiveInfinity)]
    public void Create_FromAnAdapterOfAnotherRank_ChangesAsLittleAsThatRankCan(string method, int rank, double tolerance)
    {
        using AdapterTraining training = Trained(method);
        training.Adapter.Save(_folder);

        TrainableAdapter again = _tiny.Create(TinyTraining.Options(method) with { InitFrom = _folder, Rank = rank });

        Assert.Equal(rank, again.Parameters[0].Shape[0]);
        using ResidentAdapter resident = _tiny.Model.Place(again.Edits());
        float[] expected = _tiny.Logits(training.Resident);
        float[] actual = _tiny.Logits(resident);
        float[] ofBase = _tiny.Logits();
        Assert.True(Distance(expected, actual) <= Math.Min(tolerance, 0.9) * Distance(expected, ofBase));
    }

    public void Dispose()
    {
        _tiny.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The method with an activation that has a slope everywhere, and where vectors are chosen, with all of them chosen.</summary>
    private static TrainingJobOptions Smooth(string method)
    {
        var smooth = new JsonObject { ["non_linearity"] = "gelu" };
        return TinyTraining.Options(method) with
        {
            PeftConfig = method switch
            {
                "pfeiffer" or "parallel" => smooth,
                "peanut" => new() { ["act_fn"] = "gelu" },
                "deft" => new() { ["decomposition_method"] = "qr" },
                "vblora" => new() { ["num_vectors"] = 3, ["topk"] = 3, ["init_vector_bank_bound"] = 0.5 },
                "prompt,pfeiffer" => new() { ["pfeiffer"] = smooth },
                _ => null,
            },
        };
    }

    private static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Sum());

    private static void Perturb(TrainableAdapter adapter, float range)
    {
        var random = new Random(6);
        foreach (Parameter parameter in adapter.Parameters)
        {
            for (int i = 0; i < parameter.Values.Length; i++)
            {
                parameter.Values[i] += ((random.NextSingle() * 2) - 1) * range;
            }
        }
    }

    private static void CheckSlopes(TinyTraining tiny, TrainableAdapter adapter, Func<Parameter, bool> isSlope)
    {
        TrainingExample[] rows = TinyTraining.Rows(4);
        Perturb(adapter, 0.05f);
        using AdapterTraining training = tiny.Train(adapter);
        tiny.Gradients(training, rows);
        float[][] gradients = [.. adapter.Parameters.Select(parameter => (float[])parameter.Gradient.Clone())];
        var random = new Random(8);
        for (int i = 0; i < adapter.Parameters.Count; i++)
        {
            if (isSlope(adapter.Parameters[i]))
            {
                CheckSlope(tiny, training, rows, adapter.Parameters[i], gradients[i], random);
            }
        }
    }

    private static void CheckSlope(TinyTraining tiny, AdapterTraining training, TrainingExample[] rows, Parameter parameter, float[] gradient, Random random)
    {
        const double Change = 1e-3;
        const double GreatestStep = 0.003;
        const double LossNoise = 2e-6;
        double norm = Math.Sqrt(gradient.Sum(value => (double)value * value));
        Assert.True(norm > 0, $"{parameter.Name} has no gradient.");
        double unit = norm / Math.Sqrt(gradient.Length);
        double[] direction = [.. gradient.Select(value => value + (unit * (random.Next(2) == 0 ? -1 : 1)))];
        double slope = direction.Zip(gradient, (d, g) => d * g).Sum();
        double step = Math.Min(Change / norm / norm, GreatestStep / unit);

        double[] before = [.. parameter.Values.Select(value => (double)value)];
        double up = LossAt(step);
        double down = LossAt(-step);
        double measured = (up - down) / (2 * step);

        Assert.True(Math.Abs(measured - slope) <= (0.03 * norm * norm) + (LossNoise / step), $"{parameter.Name}: the gradient says {slope}, the loss {measured}");

        double LossAt(double distance)
        {
            for (int i = 0; i < before.Length; i++)
            {
                parameter.Values[i] = (float)(before[i] + (distance * direction[i]));
            }

            double loss = tiny.Gradients(training, rows);
            for (int i = 0; i < before.Length; i++)
            {
                parameter.Values[i] = (float)before[i];
            }

            return loss;
        }
    }

    // Of a rank with which ranks that are taken away are not the last ones of a vector register alone.
    private AdapterTraining Trained(string method)
    {
        AdapterTraining training = _tiny.Train(_tiny.Create(TinyTraining.Options(method) with { Rank = method == "adalora" ? 9 : 4 }));
        for (int step = 0; step < 14; step++)
        {
            _tiny.Step(training, TinyTraining.Rows(step));
        }

        return training;
    }

    private IEnumerable<string> Parts(string method) => method.Contains(',', StringComparison.Ordinal) ? method.Split(',').Select(part => Path.Combine(_folder, part)) : [_folder];
}
