using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Tests.Spec;

public sealed class NamedShapesTests
{
    [Theory]
    [InlineData("smollm2-135m", 134_515_008)]
    [InlineData("llama-1b", 1_235_814_400)]
    [InlineData("llama-7b", 6_738_415_616)]
    [InlineData("llama-8b", 8_030_261_248)]
    public void Shape_HasAsManyParametersAsTheModelItIsNamedAfter(string name, long parameters)
    {
        TransformerSpec spec = NamedShapes.All[name];

        long matrices = spec.Sites.Linears.Where(site => site != Site.Head || !spec.TiedHead).Append(Site.Embedding).Sum(site => (long)spec.Shape(site.Role).Outputs * spec.Shape(site.Role).Inputs);
        Assert.Equal(parameters, matrices + ((long)spec.Sites.NormCount * spec.Width));
    }

    [Fact]
    public void Shapes_AreInOrderOfSize() =>
        Assert.Equal(["tiny", "smollm2-135m", "llama-1b", "llama-7b", "llama-8b"], NamedShapes.All.Keys);
}
