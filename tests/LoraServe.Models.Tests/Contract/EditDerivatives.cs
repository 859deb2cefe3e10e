using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Folding;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Models.Tests.Contract;

/// <summary>Derivatives that a device gives, and what they say of an edit's own numbers.</summary>
internal sealed class EditDerivatives
{
    private readonly AdapterEdit[] _edits;
    private readonly IBaseModel _model;
    private readonly Dictionary<Site, GradientMatrix> _replacements = [];

    public EditDerivatives(AdapterEdit[] edits, IBaseModel model)
    {
        (_edits, _model) = (edits, model);

        // Sites that have one matrix have one gradient: a tied head is the token table.
        var byMatrix = new Dictionary<FloatMatrix, GradientMatrix>();
        foreach (WeightReplacement edit in edits.OfType<WeightReplacement>())
        {
            byMatrix.TryAdd(edit.Weight, new GradientMatrix(edit.Weight.Rows, edit.Weight.Columns));
            _replacements.Add(edit.Site, byMatrix[edit.Weight]);
        }

        Gradients = new EditGradients(edits, model, _replacements);
    }

    /// <summary>What a pass adds to.</summary>
    public EditGradients Gradients { get; }

    /// <summary>All derivatives.</summary>
    public IEnumerable<float[]> Parts =>
        from edit in _edits
        from part in edit is ModuleEdit module ? AtModule(module.Site) : Apart(edit)
        select part.Values;

    /// <summary>The derivative along the directions of an edit's numbers, and the length of what it is made of.</summary>
    public (double Derivative, double Length) Along(AdapterEdit edit, EditNumbers numbers)
    {
        IEnumerable<(float[] Gradient, float[] Direction)> parts = edit switch
        {
            WeightReplacement whole => Replaced(whole).Zip(numbers.Directions),
            ModuleEdit module => AtModule(module.Site).Select(part => part.Values).Zip(FoldedDirections(module.Site, numbers)),
            Bottleneck { Scale.Length: 1 } => Apart(edit).Select(part => part.Values).Zip([.. numbers.Directions.SkipLast(1), Repeated(numbers.Directions[^1][0])]),
            _ => Apart(edit).Select(part => part.Values).Zip(numbers.Directions),
        };
        double[] products = [.. parts.SelectMany(part => Products(part.Gradient, part.Direction))];
        return (products.Sum(), Math.Sqrt(products.Sum(product => product * product)));

        float[] Repeated(float direction) => [.. Enumerable.Repeat(direction, _model.Width)];
    }

    private static IEnumerable<double> Products(float[] gradient, float[] direction)
    {
        Assert.Equal(direction.Length, gradient.Length);
        return gradient.Zip(direction, (a, b) => (double)a * b);
    }

    private IEnumerable<float[]> Replaced(WeightReplacement edit) =>
        edit.Bias is null ? [_replacements[edit.Site].Values] : [_replacements[edit.Site].Values, Gradients.At(edit.Site)!.Bias!.Values];

    /// <summary>How the parts that are differentiated move with the numbers: each is a polynomial of at most the second degree of them, so a difference over any step is exact.</summary>
    private IEnumerable<float[]> FoldedDirections(Site site, EditNumbers numbers)
    {
        numbers.Move(1);
        float[][] above = [.. Folded(site)];
        numbers.Move(-2);
        float[][] below = [.. Folded(site)];
        numbers.Move(1);
        return above.Zip(below, (a, b) => a.Zip(b, (x, y) => (x - y) / 2).ToArray());
    }

    /// <summary>The parts of a module's edits, copied, in the order of <see cref="AtModule"/>.</summary>
    private IEnumerable<float[]> Folded(Site site)
    {
        SiteEdits edits = SiteEdits.Of(_edits, _model).Single(edits => edits.Module.Site == site);
        float[]?[] parts = site.IsTable
            ?
            [
                edits.A?.Transposed().Values,
                edits.B is null ? null : Array.ConvertAll(edits.B.Transposed().Values, value => value * edits.Scale),
                edits.Dense?.Values, edits.RowDeltas?.Values,
            ]
            :
            [
                edits.A?.Values, edits.B?.Values, edits.Shared?.RankScale, edits.ProductScale,
                edits.OutputGain, edits.OutputRotation?.Changes.Values, edits.InputGain, edits.Bias, edits.Dense?.Values, edits.RowDeltas?.Values,
                .. (edits.Rotation?.Factors ?? []).Select(factor => factor.Changes.Values),
            ];
        return parts.OfType<float[]>().Select(part => part.ToArray());
    }

    private IEnumerable<GradientMatrix> AtModule(Site site)
    {
        if (_replacements.TryGetValue(site, out GradientMatrix? replacement))
        {
            return Gradients.At(site)?.Bias is { } bias ? [replacement, bias] : [replacement];
        }

        return site.IsTable ? Gradients.AtTable(site)!.Parts : Gradients.At(site)!.Parts;
    }

    private IEnumerable<GradientMatrix> Apart(AdapterEdit edit) => edit switch
    {
        NormDelta norm => [Gradients.At(norm.Site)!.Parameters],
        NormReplacement norm => [Gradients.At(norm.Site)!.Parameters],
        Bottleneck added => Gradients.At(added.Layer, added.Place)!.Parts,
        VirtualTokens => [Gradients.VirtualEmbeddings!],
        PrefixKeyValue prefix => Gradients.PrefixAt(prefix.Layer)!.Parts,
        PromptAttention prompt => Gradients.PromptAt(prompt.Layer)!.Parts,
        _ => throw new NotSupportedException(edit.GetType().Name),
    };
}
