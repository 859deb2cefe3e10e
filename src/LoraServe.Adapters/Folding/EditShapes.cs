using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Folding;

/// <summary>Whether edits have the shapes of what they edit: compute reads them without looking again.</summary>
internal static class EditShapes
{
    /// <summary>Checks an edit of a module.</summary>
    /// <exception cref="ArgumentException">It does not fit.</exception>
    public static void Check(ModuleEdit edit, BaseModule module)
    {
        bool isTable = module.Site.IsTable;
        (int outputs, int inputs) = isTable ? (module.Inputs, module.Outputs) : (module.Outputs, module.Inputs);
        Require(edit, edit switch
        {
            LowRank pair => pair.A.Columns == inputs && pair.B.Rows == outputs && pair.B.Columns == pair.A.Rows,
            RoutedLowRank pair => pair.A.Columns == inputs && pair.B.Rows == outputs && pair.B.Columns == pair.A.Rows && pair.Scaling >= 0,
            SharedLowRank pair => !isTable && pair.A.Values.Columns >= inputs && pair.B.Values.Rows >= outputs && pair.B.Values.Columns == pair.Rank
                && pair.RankScale.Length == pair.Rank && pair.ProductScale.Length == outputs,
            InputRotation rotation => !isTable && rotation.Factors.All(factor => Fits(factor, inputs)),
            InputScale scale => !isTable && scale.Values.Length == inputs,
            OutputScale scale => scale.Values.Length == outputs,
            DenseDelta dense => dense.Values.Rows == module.Outputs && dense.Values.Columns == module.Inputs,
            WeightReplacement whole => whole.Weight.Rows == module.Outputs && whole.Weight.Columns == module.Inputs
                && (whole.Bias is null || (!isTable && whole.Bias.Length == outputs)),
            RowsDelta rows => (isTable || module.Site == Site.Head) && rows.Values.Rows == rows.Tokens.Length && rows.Values.Columns == module.Inputs && AreAscending(rows.Tokens, module.Outputs),
            BiasDelta bias => !isTable && bias.Values.Length == outputs,
            _ => false,
        });
    }

    /// <summary>Checks an edit of no module.</summary>
    /// <exception cref="ArgumentException">It does not fit.</exception>
    public static void Check(AdapterEdit edit, IBaseModel model)
    {
        int width = model.Width;
        Require(edit, edit switch
        {
            NormDelta norm => norm.Values.Length == ParameterCount(norm.Site),
            NormReplacement norm => norm.Values.Length == ParameterCount(norm.Site),
            VirtualTokens tokens => tokens.Rows.Rows > 0 && tokens.Rows.Columns == width,
            PrefixKeyValue prefix => IsLayer(prefix.Layer) && prefix.Keys.Rows > 0 && prefix.Keys.Columns == model.KeyWidth
                && prefix.Values.Rows == prefix.Keys.Rows && prefix.Values.Columns == prefix.Keys.Columns,
            Bottleneck bottleneck => IsLayer(bottleneck.Layer) && Fits(bottleneck, width),
            ScalingClassifier classifier => Fits(classifier, width),
            ModuleEdit => true,
            _ => false,
        });

        bool IsLayer(int layer) => layer >= 0 && layer < model.LayerCount;

        int? ParameterCount(NormSite site) => model.Norms.FirstOrDefault(norm => norm.Site == site)?.ParameterCount;
    }

    private static bool Fits(Bottleneck edit, int width) =>
        edit.Down.Columns == width && edit.DownBias.Length == edit.Down.Rows && edit.Up.Rows == width && edit.Up.Columns == edit.Down.Rows
        && edit.UpBias.Length == width && (edit.Scale.Length == 1 || edit.Scale.Length == width)
        && (edit.Norm is null || (edit.Norm.Gain.Length == width && edit.Norm.Bias.Length == width));

    private static bool Fits(ScalingClassifier edit, int width)
    {
        foreach (ClassifierLayer layer in edit.Layers)
        {
            if (layer.Weight.Columns != width || layer.Bias.Length != layer.Weight.Rows)
            {
                return false;
            }

            width = layer.Weight.Rows;
        }

        return edit.Layers.Length > 0 && edit.Experts > 0 && edit.Places > 0 && width == edit.ScalingCount && edit.Most is null or > 0 && edit.Temperature is not 0;
    }

    private static bool Fits(BlockRotation factor, int inputs) =>
        factor.Changes.Rows == inputs && factor.Size > 0 && inputs % factor.Size == 0
        && (factor.Order.Length == 0 || factor.Order.Order().SequenceEqual(Enumerable.Range(0, inputs)));

    private static bool AreAscending(int[] tokens, int count)
    {
        for (int i = 0; i < tokens.Length; i++)
        {
            if (tokens[i] < 0 || tokens[i] >= count || (i > 0 && tokens[i] <= tokens[i - 1]))
            {
                return false;
            }
        }

        return true;
    }

    private static void Require(AdapterEdit edit, bool fits)
    {
        if (!fits)
        {
            throw new ArgumentException($"An edit {edit.GetType().Name}{(edit is ModuleEdit module ? $" at {module.Site}" : "")} has not the shape of what it edits in the base.");
        }
    }
}
