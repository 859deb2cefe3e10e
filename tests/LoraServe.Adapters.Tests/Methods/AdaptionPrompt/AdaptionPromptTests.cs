using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Models;
using LoraServe.Models.Spec;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Methods.AdaptionPrompt;

/// <summary>Keys, values and biases of PEFT's forms for Llama, Mistral and GPT-2, against loops in float64, and what is refused.</summary>
public sealed class AdaptionPromptTests
{
    private const int Length = 3;
    private const float Gate = -0.7f;

    private static readonly TransformerSpec s_llama = TinyModel.DefaultSpec with { LayerCount = 3, Windows = [0, 20, 0] };
    private static readonly SiteRole[] s_fused = [SiteRole.QueryKeyValue, SiteRole.Output, SiteRole.Up, SiteRole.Down];

    private static readonly TransformerSpec s_gpt2 = s_llama with
    {
        Architecture = "gpt2",
        LearnsPositions = true,
        KeyValueHeads = 4,
        HeadSize = 16,
        Linears = [.. s_fused],
        Biases = [.. s_fused],
    };

    [Fact]
    public void Load_LlamasForm_MakesKeysAndValuesOfTheLastLayersWithTheirBiases()
    {
        PlainModel model = Model(s_llama);
        Adapter adapter = Load(Build(model, 2), model);
        Assert.Equal([1, 2], adapter.Edits.Cast<PromptAttention>().Select(edit => edit.Layer));
        foreach (PromptAttention edit in adapter.Edits.Cast<PromptAttention>())
        {
            Assert.Equal(PromptPlace.BeforeOutput, edit.Place);
            AssertProjected(model, new Site(edit.Layer, SiteRole.Key), 0, 1, edit.Keys);
            AssertProjected(model, new Site(edit.Layer, SiteRole.Value), 0, Gate, edit.Values);
        }
    }

    [Fact]
    public void Load_LlamasFormWithABiasOfOutputs_AddsItOnceMore()
    {
        PlainModel model = Model(s_llama with { Biases = [SiteRole.Query, SiteRole.Key, SiteRole.Value, SiteRole.Output] });
        Adapter adapter = Load(Build(model, 1), model);
        BaseModule output = model.At(new Site(2, SiteRole.Output));
        Assert.Equal(model.Bias(output), Assert.Single(adapter.Edits.OfType<BiasDelta>(), bias => bias.Site == output.Site).Values);
        Assert.Equal(2, adapter.Edits.Length);
    }

    [Fact]
    public void Load_Gpt2sForm_ReadsTheFusedMapAndStandsBesideTheOutputProjection()
    {
        PlainModel model = Model(s_gpt2);
        Adapter adapter = Load(Build(model, 3), model);
        Assert.Equal([0, 1, 2], adapter.Edits.Cast<PromptAttention>().Select(edit => edit.Layer));
        foreach (PromptAttention edit in adapter.Edits.Cast<PromptAttention>())
        {
            Assert.Equal(PromptPlace.AfterOutput, edit.Place);
            AssertProjected(model, new Site(edit.Layer, SiteRole.QueryKeyValue), model.Width, 1, edit.Keys);
            AssertProjected(model, new Site(edit.Layer, SiteRole.QueryKeyValue), 2 * model.Width, Gate, edit.Values);
        }
    }

    [SkippableFact]
    public void Load_OnGpt2OfTheReference_HasThePathsOfItsFiles()
    {
        PlainModel model = PlainModel.Open(PeftCases.Require("bases/gpt2"));
        AdapterBuilder builder = Build(model, 1);
        builder.Config["target_modules"] = "attn";
        Assert.Equal($"transformer.h.{model.LayerCount - 1}.attn.adaption_prompt", Assert.Single(Load(builder, model).Report.MatchedModules));
    }

    /// <summary>Bases whose attention is none of the reference's forms, and what of them is said.</summary>
    public static TheoryData<string> OtherAttention => ["norms queries and keys", "in one map"];

    [Theory]
    [MemberData(nameof(OtherAttention))]
    public void Load_OnABaseOfOtherAttention_IsRefusedByName(string reason)
    {
        PlainModel model = Model(reason == "in one map" ? s_llama with { Linears = [.. s_fused], Biases = [] } : s_llama with { LayerNorms = [NormRole.Attention, NormRole.Mlp, NormRole.Query, NormRole.Key] });
        AssertRefused(Build(model, 1), model, reason);
    }

    /// <summary>A change of the configuration, and what the refusal must say.</summary>
    public static TheoryData<string, object?, string> Mistakes => new()
    {
        { "adapter_layers", 4, "'adapter_layers' is 4; expected at most 3" },
        { "adapter_layers", int.MaxValue, "'adapter_layers' is 2147483647; expected at most 3" },
        { "adapter_layers", 0, "'adapter_layers' is 0; expected an integer of at least 1" },
        { "adapter_layers", null, "'adapter_layers' is missing" },
        { "adapter_layers", 1, "self_attn.adaption_gate" },
        { "adapter_layers", 3, "tensor 'base_model.model.model.layers.0.self_attn.adaption_prompt' is missing" },
        { "adapter_len", int.MaxValue, "expected [1, 2147483647, 64]" },
        { "adapter_len", 2, "has shape [1, 3, 64]; expected [1, 2, 64]" },
        { "adapter_len", null, "'adapter_len' is missing" },
        { "target_modules", "mlp", "'target_modules' is 'mlp'; expected 'self_attn'" },
        { "modules_to_save", "lm_head", "modules_to_save" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Load_ConfigurationThatDoesNotFit_IsRefusedByName(string field, object? value, string expected)
    {
        PlainModel model = Model(s_llama);
        AdapterBuilder builder = Build(model, 2);
        builder.Config[field] = value is null ? null : JsonValue.Create(value);
        AssertRefused(builder, model, expected);
    }

    [Fact]
    public void Load_ClosedGates_IsRefusedAsWithoutEffect()
    {
        PlainModel model = Model(s_llama);
        AdapterBuilder builder = Build(model, 2);
        foreach (string name in builder.Names.Where(name => name.EndsWith("gate", StringComparison.Ordinal)).ToArray())
        {
            builder.Add(name, [0], 1);
        }

        AssertRefused(builder, model, "would change nothing");
    }

    private static PlainModel Model(TransformerSpec spec)
    {
        using ModelWeights weights = TinyModel.Weights(3, spec: spec);
        return new PlainModel(weights);
    }

    /// <summary>The same prompt in every one of the last layers.</summary>
    private static AdapterBuilder Build(PlainModel model, int layers)
    {
        var builder = new AdapterBuilder();
        builder.Config.Clear();
        (builder.Config["peft_type"], builder.Config["adapter_len"], builder.Config["adapter_layers"]) = ("ADAPTION_PROMPT", Length, layers);
        foreach (string attention in model.AttentionPaths().TakeLast(layers))
        {
            builder.Add($"{attention}.adaption_prompt", Prompt(model.Width), 1, Length, model.Width);
            builder.Add($"{attention}.adaption_gate", [Gate], 1);
        }

        return builder;
    }

    private static float[] Prompt(int width) => [.. Enumerable.Range(0, Length * width).Select(i => MathF.Sin(i))];

    private static Adapter Load(AdapterBuilder builder, PlainModel model)
    {
        using var folder = new TemporaryDirectory();
        return AdapterLoader.Load(builder.Write(folder), model);
    }

    private static void AssertRefused(AdapterBuilder builder, PlainModel model, string what) =>
        Assert.Contains(what, Assert.Throws<AdapterFormatException>(() => Load(builder, model)).Message, StringComparison.Ordinal);

    private static void AssertProjected(PlainModel model, Site site, int first, double factor, FloatMatrix actual)
    {
        (FloatMatrix weight, float[] bias) = (model.Weight(model.At(site)), model.Bias(model.At(site)));
        var prompt = new FloatMatrix(Length, model.Width, Prompt(model.Width));
        Assert.Equal((Length, model.KeyWidth), (actual.Rows, actual.Columns));
        for (int row = 0; row < actual.Rows; row++)
        {
            for (int column = 0; column < actual.Columns; column++)
            {
                double sum = bias[first + column];
                for (int i = 0; i < model.Width; i++)
                {
                    sum += (double)prompt.Row(row)[i] * weight.Row(first + column)[i];
                }

                Assert.Equal(factor * sum, actual.Row(row)[column], 1e-5);
            }
        }
    }
}
