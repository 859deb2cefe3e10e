using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Tests.Files;

public class PlainNamesTests
{
    private static readonly PlainNames s_model = new("", "model.layers.", ["model.embed_tokens", "model.norm", "lm_head"]);

    [Theory]
    [InlineData("model.layers.0.a.weight", "model.layers.0.a.weight", "lm_head.weight", "lm_head.weight")]
    [InlineData("layers.0.a.weight", "model.layers.0.a.weight", "norm.weight", "model.norm.weight")]
    [InlineData("layers.0.a.weight", "model.layers.0.a.weight", "lm_head.weight", "lm_head.weight")]
    [InlineData("model.language_model.layers.0.a.weight", "model.layers.0.a.weight", "model.language_model.embed_tokens.weight", "model.embed_tokens.weight")]
    [InlineData("model.language_model.layers.0.a.weight", "model.layers.0.a.weight", "lm_head.weight", "lm_head.weight")]
    [InlineData("language_model.model.layers.0.a.weight", "model.layers.0.a.weight", "language_model.lm_head.weight", "lm_head.weight")]
    [InlineData("_orig_mod.module.model.layers.0._checkpoint_wrapped_module.a.weight", "model.layers.0.a.weight", "_orig_mod.module.lm_head.weight", "lm_head.weight")]
    public void Of_NamesOfAWrappedModel_ArePlain(string name, string plain, string other, string otherPlain)
    {
        List<string> notes = [];

        IReadOnlyDictionary<string, Tensor> tensors = s_model.Of(new[] { name, other }.ToDictionary(key => key, key => Tensor.FromFloats(key, [1], 1)), "file", notes);

        Assert.Equal([plain, otherPlain], tensors.Keys);
        Assert.Equal([name, other], tensors.Values.Select(tensor => tensor.Name));
        Assert.Equal(name != plain, notes.Count > 0);
    }

    [Fact]
    public void Of_LayersOfSeveralModels_StayWithTheirNames()
    {
        string[] names = ["vision.layers.0.a.weight", "text.layers.0.a.weight"];

        Assert.Equal(names, s_model.Of(names.ToDictionary(key => key, key => Tensor.FromFloats(key, [1], 1)), "file", []).Keys);
    }

    [Fact]
    public void Of_TwoTensorsWithOnePlainName_AreRefusedWithBoth()
    {
        string[] names = ["module.lm_head.weight", "lm_head.weight"];

        var refusal = Assert.Throws<TensorFileException>(() => s_model.Of(names.ToDictionary(key => key, key => Tensor.FromFloats(key, [1], 1)), "file", []));

        Assert.All(names, name => Assert.Contains($"'{name}'", refusal.Message, StringComparison.Ordinal));
    }
}
