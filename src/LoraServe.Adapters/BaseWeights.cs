using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters;

/// <summary>Reads whole parameters of a base model.</summary>
internal static class BaseWeights
{
    /// <summary>A module's weight, [outputs, inputs].</summary>
    public static FloatMatrix Weight(this IBaseModel model, BaseModule module)
    {
        var weight = new FloatMatrix(module.Outputs, module.Inputs);
        for (int row = 0; row < weight.Rows; row++)
        {
            model.CopyWeightRow(module.Site, row, weight.Row(row));
        }

        return weight;
    }

    /// <summary>A module's bias.</summary>
    public static float[] Bias(this IBaseModel model, BaseModule module)
    {
        float[] bias = new float[module.Outputs];
        model.CopyBias(module.Site, bias);
        return bias;
    }

    /// <summary>A norm's gains.</summary>
    public static float[] Gains(this IBaseModel model, BaseNorm norm)
    {
        float[] gains = new float[norm.Width];
        model.CopyNorm(norm.Site, gains);
        return gains;
    }

    /// <summary>Values less the base's, in place; null where nothing differs.</summary>
    public static float[]? LessBase(this float[] values, ReadOnlySpan<float> original)
    {
        TensorPrimitives.Subtract(values, original, values);
        return values.AsSpan().ContainsAnyExcept(0f) ? values : null;
    }
}
