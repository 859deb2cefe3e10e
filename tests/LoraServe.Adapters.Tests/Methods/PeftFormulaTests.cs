using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Merging;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Testing;

namespace LoraServe.Adapters.Tests.Methods;

/// <summary>Files as PEFT writes them of methods that no reference files are here of: what is made of them computes what PEFT's layers do.</summary>
public sealed class PeftFormulaTests
{
    private static readonly SmallBase s_base = new();

    /// <summary>A method and settings of it, of layers of 12 by 8 without a bias, 4 by 12 with one, and 8 by 12 as Conv1D with one.</summary>
    public static TheoryData<string, string> Cases => new()
    {
        { "ROAD", """{"variant": "road_1", "group_size": 2}""" },
        { "ROAD", """{"variant": "road_1", "group_size": 4}""" },
        { "ROAD", """{"variant": "road_2", "group_size": 4}""" },
        { "ROAD", """{"variant": "road_4", "group_size": 4}""" },
        { "ROAD", """{"variant": "road_4", "group_size": 2}""" },
        { "BEFT", "{}" },
        { "C3A", """{"block_size": 4}""" },
        { "C3A", """{"block_size": 2, "block_size_pattern": {"biased": 4, "conv": 1}}""" },
        { "WAVEFT", """{"n_frequency": 9, "scaling": 25.0}""" },
        { "WAVEFT", """{"n_frequency": 20, "scaling": 3.5, "wavelet_family": "db2", "random_loc_seed": 5}""" },
        { "WAVEFT", """{"n_frequency": 20, "scaling": 3.5, "wavelet_family": "coif1", "proportional_parameters": true}""" },
        { "WAVEFT", """{"n_frequency": 48, "scaling": 2.0, "n_frequency_pattern": {"plain": 96}, "use_idwt": false, "wavelet_family": "db38"}""" },
        { "DELORA", """{"r": 3}""" },
        { "DELORA", """{"r": 2, "rank_pattern": {"conv": 5}, "lambda_pattern": {"conv": 3}}""" },
        { "GRALORA", """{"r": 4, "alpha": 6.0, "gralora_k": 2, "hybrid_r": 0}""" },
        { "GRALORA", """{"r": 1, "alpha": 6.0, "gralora_k": 1, "hybrid_r": 0}""" },
        { "GRALORA", """{"r": 8, "alpha": 3.0, "gralora_k": 4, "hybrid_r": 3}""" },
        { "HIRA", """{"r": 2, "rank_pattern": {"^model.layers.0.attn.plain$": 3}}""" },
        { "PVERA", """{"r": 3}""" },
        { "PVERA", """{"r": 5, "save_projection": true, "generator_seed": 4, "sample_at_inference": false, "pvera_dropout": 0.1}""" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Load_FilesOfPeft_ComputeWhatItsLayersDo(string type, string settings)
    {
        AdapterBuilder builder = Build(type, settings);
        Adapter adapter = builder.Load(model: s_base);
        var random = new Random(9);
        foreach (BaseModule module in s_base.Modules.Where(module => module.Site.Layer == 0))
        {
            double[] x = [.. Enumerable.Range(0, module.Inputs).Select(_ => random.NextDouble() - 0.5)];
            double[] expected = new PeftForward(s_base, builder, module).Run(x);
            double[] actual = Served(adapter, module, x);
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-6 * (1 + Math.Abs(pair.First))));
        }
    }

    [Fact]
    public void Load_HiraOfTheTable_MultipliesItsRows()
    {
        AdapterBuilder builder = Build("HIRA", """{"r": 2, "target_modules": ["embed_tokens"]}""");
        float[] a = builder.AddRandom($"{SmallBase.Table}.hira_embedding_A", 2, 10);
        float[] b = builder.AddRandom($"{SmallBase.Table}.hira_embedding_B", 8, 2);
        FloatMatrix table = s_base.Weight(s_base.At(SmallBase.Table));
        FloatMatrix change = Assert.IsType<DenseDelta>(Assert.Single(builder.Load(model: s_base).Edits)).Values;
        for (int i = 0; i < change.Values.Length; i++)
        {
            (int token, int column) = (i / 8, i % 8);
            double expected = (double)table.Values[i] * (((double)b[column * 2] * a[token]) + ((double)b[(column * 2) + 1] * a[10 + token]));
            Assert.Equal(expected, change.Values[i], 1e-6);
        }
    }

    /// <summary>Without its own projections PVeRA has those of twice the rank that its seed draws.</summary>
    [Fact]
    public void Load_PveraFromSeed_DrawsBothHalvesOfTheFirstProjection()
    {
        AdapterBuilder builder = Build("PVERA", """{"r": 3, "projection_prng_key": 8, "save_projection": false}""");
        builder.Remove("pvera_A");
        builder.Remove("pvera_B");
        SharedLowRank edit = builder.Load(model: s_base).Edits.OfType<SharedLowRank>().First();
        var generator = new LoraServe.Adapters.Methods.Reading.TorchGenerator(8);
        Assert.Equal(generator.KaimingUniform(6, 12)[..36], edit.A.Values.Values);
        Assert.Equal(generator.KaimingUniform(12, 3), edit.B.Values.Values);
        Assert.Equal(3, edit.RankScale.Length);
    }

    /// <summary>The result of a layer with the adapter merged; where that has no place for a bias, with the bias beside it.</summary>
    private static double[] Served(Adapter adapter, BaseModule module, double[] x)
    {
        BiasDelta[] apart = [.. adapter.Edits.OfType<BiasDelta>().Where(edit => !s_base.Modules.First(other => other.Site == edit.Site).HasBias)];
        MergedModel merged = MergedModel.Create(s_base, new Adapter([.. adapter.Edits.Except(apart)], [], adapter.Digest, adapter.Report));
        float[] bias = new float[module.Outputs];
        merged.CopyBias(module.Site, bias);
        FloatMatrix weight = merged.Weight(module);
        return [.. bias.Select((b, o) => b + (apart.FirstOrDefault(edit => edit.Site == module.Site)?.Values[o] ?? 0) + x.Select((value, i) => value * weight.Row(o)[i]).Sum())];
    }

    /// <summary>The tensors that PEFT's save_pretrained writes, under its names.</summary>
    private static AdapterBuilder Build(string type, string settings)
    {
        JsonObject config = JsonNode.Parse(settings)!.AsObject();
        var builder = new AdapterBuilder { Prefix = type == "PVERA" ? "base_model." : "base_model.model." };
        builder.Config.Clear();
        (builder.Config["peft_type"], builder.Config["target_modules"]) = (type, new JsonArray("plain", "biased", "conv"));
        if (type == "WAVEFT")
        {
            (builder.Config["random_loc_seed"], builder.Config["wavelet_family"], builder.Config["use_idwt"]) = (777, "db1", true);
        }

        foreach ((string field, JsonNode? value) in config)
        {
            builder.Config[field] = value!.DeepClone();
        }

        int rank = config["r"]?.GetValue<int>() ?? 0;
        foreach (BaseModule module in s_base.Modules.Where(module => builder.Config["target_modules"]!.AsArray().Any(name => name!.GetValue<string>() == module.Name) && module.Site.Layer == 0))
        {
            AddTensors(builder, type, config, module, config["rank_pattern"]?[module.Name] is { } own ? own.GetValue<int>() : type == "HIRA" && module.Name == "plain" ? 3 : rank);
        }

        if (type == "PVERA")
        {
            builder.AddRandom("pvera_A", 2 * rank, 12);
            builder.AddRandom("pvera_B", 12, rank);
        }

        return builder;
    }

    private static void AddTensors(AdapterBuilder builder, string type, JsonObject config, BaseModule module, int rank)
    {
        (string path, int outputs, int inputs) = (module.Path, module.Outputs, module.Inputs);
        switch (type)
        {
            case "ROAD":
                int angles = config["variant"]!.GetValue<string>() switch { "road_1" => outputs / 2, "road_2" => outputs, _ => 2 * outputs };
                builder.AddRandom($"{path}.road_theta", angles);
                builder.AddRandom($"{path}.road_alpha", angles);
                break;
            case "BEFT":
                builder.AddRandom($"{path}.beft_bias", 1, outputs);
                break;
            case "C3A":
                int size = config["block_size_pattern"]?[module.Name]?.GetValue<int>() ?? config["block_size"]!.GetValue<int>();
                builder.AddRandom($"{path}.c3a_kernel", outputs / size, inputs / size, size);
                break;
            case "WAVEFT":
                // In proportion to weights of 96, 48 and 96 elements, 60 together.
                int count = config.ContainsKey("proportional_parameters") ? outputs * inputs / 4
                    : config["n_frequency_pattern"]?[module.Name]?.GetValue<int>() ?? config["n_frequency"]!.GetValue<int>();
                builder.AddRandom($"{path}.waveft_spectrum", count);
                break;
            case "DELORA":
                builder.AddRandom($"{path}.delora_A", rank, inputs);
                builder.AddRandom($"{path}.delora_B", outputs, rank);
                builder.Add($"{path}.delora_lambda", [7.5f], 1);
                builder.AddRandom($"{path}.delora_w_norm", inputs);
                break;
            case "GRALORA":
                int blocks = config["gralora_k"]!.GetValue<int>();
                int whole = config["hybrid_r"]!.GetValue<int>();
                builder.AddRandom($"{path}.gralora_A", blocks, inputs / blocks, rank);
                builder.AddRandom($"{path}.gralora_B", blocks, rank, outputs / blocks);
                if (whole > 0)
                {
                    builder.AddRandom($"{path}.gralora_A_general.weight", whole, inputs);
                    builder.AddRandom($"{path}.gralora_B_general.weight", outputs, whole);
                }

                break;
            case "HIRA":
                builder.AddRandom($"{path}.hira_A", rank, inputs);
                builder.AddRandom($"{path}.hira_B", outputs, rank);
                break;
            case "PVERA":
                builder.AddRandom($"model.{path}.pvera_lambda_d", 2 * rank);
                builder.AddRandom($"model.{path}.pvera_lambda_b", outputs);
                break;
        }
    }
}
