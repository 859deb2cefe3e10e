using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract;

/// <summary>Edits that more than one class of tests needs.</summary>
internal static class OtherEdits
{
    private const int BottleneckSize = 5;

    /// <summary>Low-rank pairs of every module, output scales and biases, norms.</summary>
    public static IEnumerable<AdapterEdit> All(PlainModel model, EditValues values)
    {
        foreach (BaseModule module in model.Modules)
        {
            bool isTable = module.Site.IsTable;
            (int outputs, int inputs) = isTable ? (module.Inputs, module.Outputs) : (module.Outputs, module.Inputs);
            yield return new LowRank(module.Site, values.Matrix(2, inputs), values.Matrix(outputs, 2, 0.3f), 0.5f);
            if (!isTable)
            {
                yield return new OutputScale(module.Site, values.Around(1, outputs, 0.2f));
                yield return new BiasDelta(module.Site, values.Around(0, outputs, 0.2f));
            }
        }

        foreach (BaseNorm norm in model.Norms)
        {
            yield return new NormDelta(norm.Site, values.Around(0, norm.ParameterCount, 0.2f));
        }
    }

    /// <summary>Few edits that all of a model comes after: a pair of the table, pairs and norms of the last layer.</summary>
    public static IEnumerable<AdapterEdit> Below(PlainModel model, EditValues values)
    {
        int layer = model.LayerCount - 1;
        return All(model, values).Where(edit => edit switch
        {
            LowRank pair => pair.Site.IsTable || pair.Site.Layer == layer,
            NormDelta norm => norm.Site.Layer == layer,
            _ => false,
        });
    }

    /// <summary>Bottlenecks after every sublayer; those of the first layer have one factor for all of the width.</summary>
    public static IEnumerable<AdapterEdit> Bottlenecks(
        PlainModel model, EditValues values, Func<int, BottleneckPlace, BottleneckInput> input, Activation activation, bool? normCoversSublayer)
    {
        int width = model.Width;
        for (int layer = 0; layer < model.LayerCount; layer++)
        {
            foreach (BottleneckPlace place in Enum.GetValues<BottleneckPlace>())
            {
                yield return new Bottleneck(
                    layer, place, input(layer, place),
                    values.Matrix(BottleneckSize, width), values.Around(0, BottleneckSize), activation, values.Matrix(width, BottleneckSize), values.Around(0, width),
                    layer == 0 ? [0.75f] : values.Around(1, width),
                    normCoversSublayer is { } covers ? new BottleneckNorm(values.Around(1, width), values.Around(0, width), covers) : null);
            }
        }
    }
}
