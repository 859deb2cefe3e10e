using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Merging;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Methods;

/// <summary>Methods that add to a weight: what comes out is what their formulas say, and what does not fit is refused.</summary>
public sealed class AdditiveMethodsTests
{
    /// <summary>A weight that the file brings below is another one, to which the change is added.</summary>
    [Theory]
    [InlineData("FOURIERFT")]
    [InlineData("RANDLORA")]
    [InlineData("LOHA")]
    [InlineData("LOKR")]
    public void Load_AnotherWeightBelow_IsPartOfTheChange(string method)
    {
        PlainModel model = AdapterBuilder.TinyBase;
        BaseModule module = model.At(new Site(0, SiteRole.Query));
        AdapterBuilder builder = MethodAdapters.Build(method);
        FloatMatrix plain = MergedModel.Create(model, builder.Load()).Weight(module);
        float[] own = builder.AddRandom($"{(builder.Prefix == "base_model." ? "model." : "")}{module.Path}.base_layer.weight", module.Outputs, module.Inputs);
        FloatMatrix changed = MergedModel.Create(model, builder.Load()).Weight(module);
        float[] weight = model.Weight(module).Values;
        for (int i = 0; i < own.Length; i++)
        {
            Assert.Equal(own[i] + plain.Values[i] - weight[i], changed.Values[i], 1e-5f);
        }
    }

    private const string Query = "model.layers.0.self_attn.q_proj";
    private const string Value = "model.layers.0.self_attn.v_proj";

    /// <summary>A change of a method's configuration, and what the refusal must say.</summary>
    public static TheoryData<string, string, object, string> Mistakes => new()
    {
        { "LOHA", "r", int.MaxValue, "hada_w1_a" },
        { "LOHA", "rank_pattern", new JsonObject { ["v_proj"] = 0 }, "rank_pattern" },
        { "LOKR", "r", int.MaxValue, "lokr_w2" },
        { "LOKR", "decompose_factor", 8, "lokr_w1" },
        { "LOKR", "decompose_factor", -2, "decompose_factor" },
        { "VBLORA", "topk", 6, "at most 5" },
        { "VBLORA", "topk", 0, "topk" },
        { "VBLORA", "vector_length", 3, "vector_bank" },
        { "VBLORA", "num_vectors", 1 << 30, "vector_bank" },
        { "VBLORA", "r", int.MaxValue, "of at most the lesser" },
        { "VBLORA", "save_only_topk_weights", true, "topk_indices" },
        { "VBLORA of chosen", "num_vectors", 4, "vector_bank" },
        { "SHIRA", "r", int.MaxValue, "changes 34359738352 elements" },
        { "SHIRA", "r", 2, "shira_weight" },
        { "SHIRA", "mask_type", 3, "mask_type" },
        { "MISS", "r", int.MaxValue, "of at most the inputs" },
        { "MISS", "r", 4, "miss_block" },
        { "MISS", "init_weights", "dash", "true, false, bat or mini" },
        { "MISS mini", "mini_r", 3, "multiple of mini_r" },
        { "MISS bat", "r", 3, "multiples of the rank" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Load_ConfigurationThatDoesNotFit_IsRefusedByName(string method, string field, object value, string expected)
    {
        AdapterBuilder builder = MethodAdapters.Build(method);
        builder.Config[field] = value as JsonNode ?? System.Text.Json.JsonSerializer.SerializeToNode(value);
        AssertRefused(builder, expected);
    }

    [Theory]
    [InlineData("VBLORA of chosen", "model.model.layers.0.self_attn.q_proj.vblora_logits_A_topk_indices", 0, 5, "holds 5")]
    [InlineData("VBLORA of chosen", "model.model.layers.0.self_attn.q_proj.vblora_logits_A_topk_indices", 0, 3, "twice")]
    [InlineData("VBLORA of chosen", "model.model.layers.0.self_attn.v_proj.vblora_logits_B_topk_indices", 1, -1, "holds -1")]
    [InlineData("SHIRA", Query + ".shira_indices", 0, 8, "holds 8")]
    [InlineData("SHIRA", Query + ".shira_indices", 0, int.MaxValue, "expected integers from 0 to 7")]
    [InlineData("SHIRA", Query + ".shira_indices", 0, -1, "holds -1")]
    [InlineData("SHIRA", Query + ".shira_indices", 17, 0, "twice")]
    [InlineData("SHIRA", Value + ".shira_indices", 0, 4, "names row 4, column 0")]
    public void Load_IndexThatDoesNotFit_IsRefusedByName(string method, string name, int element, int index, string expected)
    {
        AdapterBuilder builder = MethodAdapters.Build(method);
        int[] indices = Array.ConvertAll(builder.Values(name), value => (int)value);
        indices[element] = index;
        builder.AddIntegers(name, indices, builder.Shape(name));
        AssertRefused(builder, name);
        AssertRefused(builder, expected);
    }

    [Theory]
    [InlineData(Query, 8, 2, typeof(DenseDelta))]
    [InlineData(Value, 4, 1, typeof(LowRank))]
    public void Load_Loha_AddsTheElementwiseProductOfTwoProducts(string path, int outputs, int rank, Type form)
    {
        AdapterBuilder builder = MethodAdapters.Build("LOHA");
        AssertChange(builder, path, form, (row, column) =>
        {
            double[] products = [.. ((string[])["1", "2"]).Select(part => Enumerable.Range(0, rank).Sum(
                k => (double)builder.Values($"{path}.hada_w{part}_a")[(row * rank) + k] * builder.Values($"{path}.hada_w{part}_b")[(k * 8) + column]))];
            return 5.0 / rank * products[0] * products[1];
        });
        Assert.Equal(outputs, builder.Shape($"{path}.hada_w1_a")[0]);
    }

    [Theory]
    [InlineData(Query, 4, typeof(LowRank))]
    [InlineData(Value, 2, typeof(DenseDelta))]
    public void Load_Lokr_AddsTheKroneckerProduct(string path, int height, Type form)
    {
        AdapterBuilder builder = MethodAdapters.Build("LOKR");
        AssertChange(builder, path, form, (row, column) =>
            3.0 * builder.Values($"{path}.lokr_w1")[(row / height * 2) + (column / 4)]
            * builder.Values($"{path}.lokr_w2_a")[row % height] * builder.Values($"{path}.lokr_w2_b")[column % 4]);
    }

    [Fact]
    public void Load_VbLoraOfLogits_AddsThePairOfTheGreatestTwo()
    {
        AdapterBuilder builder = MethodAdapters.Build("VBLORA");
        float[] bank = builder.Values("vblora_vector_bank");
        double Element(string part, int vector, int element)
        {
            float[] logits = builder.Values($"model.{Query}.vblora_logits_{part}")[(vector * 5)..((vector + 1) * 5)];
            int[] greatest = [.. Enumerable.Range(0, 5).OrderByDescending(i => logits[i]).Take(2)];
            return greatest.Sum(i => Math.Exp(logits[i]) * bank[(i * 2) + element]) / greatest.Sum(i => Math.Exp(logits[i]));
        }

        AssertChange(builder, Query, typeof(LowRank), (row, column) => Enumerable.Range(0, 3).Sum(
            k => Element("B", (row / 2 * 3) + k, row % 2) * Element("A", (k * 4) + (column / 2), column % 2)));
    }

    [Fact]
    public void Load_Shira_AddsToTheElementsThatItNames()
    {
        AdapterBuilder builder = MethodAdapters.Build("SHIRA");
        float[] summands = builder.Values($"{Value}.shira_weight");
        AssertChange(builder, Value, typeof(DenseDelta), (row, column) => ((row * 8) + column) is var place && place % 2 == 0 && place < 24 ? summands[place / 2] : 0);
    }

    [Theory]
    [InlineData("MISS", typeof(LowRank))]
    [InlineData("MISS mini", typeof(LowRank))]
    [InlineData("MISS bat", typeof(DenseDelta))]
    public void Load_Miss_AddsItsBlocks(string method, Type form)
    {
        AdapterBuilder builder = MethodAdapters.Build(method);
        float[] block = builder.Values($"{Query}.miss_block");
        FloatMatrix weight = AdapterBuilder.TinyBase.Weight(AdapterBuilder.TinyBase.At(new Site(0, SiteRole.Query)));
        double Tile(int row, int column) => Enumerable.Range(0, 4).Sum(
            k => (double)(weight.Row(row)[(column / 4 * 4) + k] + (row % 4 == k ? 1 : 0)) * block[(((row / 4 * 4) + k) * 4) + (column % 4)]);
        AssertChange(builder, Query, form, (row, column) => method switch
        {
            "MISS" => block[(column % 3 * 8) + row],
            "MISS mini" => block[(column % 3 * 2) + (row % 2)],
            _ => Tile(row, column),
        });
    }

    [Fact]
    public void FirstOfPermutation_SeedOfTheReference_GivesItsNumbers() =>
        Assert.Equal([12, 14, 23, 33, 36, 37, 40, 46, 47, 54], new TorchGenerator(42).FirstOfPermutation(1024, 128).Order().Take(10));

    [Fact]
    public void FirstOfPermutation_All_AreAll() =>
        Assert.Equal(Enumerable.Range(0, 50), new TorchGenerator(1).FirstOfPermutation(50, 50).Order());

    private static void AssertChange(AdapterBuilder builder, string path, Type form, Func<int, int, double> expected)
    {
        BaseModule module = AdapterBuilder.TinyBase.Modules.First(module => module.Path == path);
        ModuleEdit edit = Assert.Single(builder.Load().Edits.OfType<ModuleEdit>(), edit => edit.Site == module.Site);
        Assert.IsType(form, edit);
        var formed = new FloatMatrix(module.Outputs, module.Inputs);
        if (edit is LowRank pair)
        {
            LowRankProduct.Add(formed, pair.A, pair.B, pair.Scale);
        }

        for (int row = 0; row < module.Outputs; row++)
        {
            for (int column = 0; column < module.Inputs; column++)
            {
                float actual = edit is DenseDelta dense ? dense.Values.Row(row)[column] : formed.Row(row)[column];
                Assert.Equal(expected(row, column), actual, 1e-5);
            }
        }
    }

    private static void AssertRefused(AdapterBuilder builder, string what) =>
        Assert.Contains(what, Assert.Throws<AdapterFormatException>(() => builder.Load()).Message, StringComparison.Ordinal);
}
