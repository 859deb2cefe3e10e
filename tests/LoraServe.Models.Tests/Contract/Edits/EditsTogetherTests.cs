using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Edits of many kinds by one adapter: at a site, and through a model.</summary>
public sealed class EditsTogetherTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values)
    {
        int width = model.Width;
        BaseModule up = model.Modules.First(module => module.Site is { Layer: 0, Role: SiteRole.Up or SiteRole.GateUp or SiteRole.ExpertUp });
        int heads = model.Spec.QueryHeads * model.Spec.HeadSize;
        foreach (AdapterEdit edit in OtherEdits.All(model, values))
        {
            yield return edit;
        }

        yield return new InputScale(up.Site, values.Around(1, width));
        yield return new DenseDelta(up.Site, values.Matrix(up.Outputs, width, 0.3f));
        yield return new InputRotation(new Site(1, SiteRole.Output), [new BlockRotation(new FloatMatrix(heads, 4, values.Around(0, 4 * heads, 0.2f)), values.Order(heads))]);
        yield return new RowsDelta(Site.Head, [1, 2, 30], values.Matrix(3, width));
        yield return new RowsDelta(Site.Embedding, [.. Enumerable.Range(0, 30)], values.Matrix(30, width));
        yield return new DenseDelta(Site.Embedding, values.Matrix(model.VocabularySize, width, 0.3f));
        yield return new Bottleneck(
            0, BottleneckPlace.Mlp, BottleneckInput.Sum, values.Matrix(3, width), values.Around(0, 3), Activation.Tanh, values.Matrix(width, 3), values.Around(0, width), [1]);
        yield return new VirtualTokens(new FloatMatrix(2, width, values.Around(0, 2 * width)));
        yield return new PromptAttention(1, PromptPlace.BeforeOutput, values.Matrix(3, model.Spec.KeyWidth, 2), values.Matrix(3, model.Spec.KeyWidth, 2));
    }
}
