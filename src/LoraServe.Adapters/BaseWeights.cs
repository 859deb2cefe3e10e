using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters;

/// <summary>Reads whole parameters of a base model.</summary>
public static class BaseWeights
{
    /// <summary>Number of a base's parameters: weights, biases and norms, of a tied head only once.</summary>
    public static long ParameterCount(this IBaseModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Modules.Where(module => module.Site != Site.Head || !model.TiedHead).Sum(module => ((long)module.Outputs * module.Inputs) + (module.HasBias ? module.Outputs : 0))
            + model.Norms.Sum(norm => (long)norm.ParameterCount);
    }

    /// <summary>A module's weight, [outputs, inputs].</summary>
    /// <param name="model">The base.</param>
    /// <param name="module">One of its linear maps, the head or the token table.</param>
    public static FloatMatrix Weight(this IBaseModel model, BaseModule module)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(module);
        var weight = new FloatMatrix(module.Outputs, module.Inputs);
        for (int row = 0; row < weight.Rows; row++)
        {
            model.CopyWeightRow(module.Site, row, weight.Row(row));
        }

        return weight;
    }

    /// <summary>left·W, [rows, inputs].</summary>
    /// <param name="model">The base.</param>
    /// <param name="module">One of its linear maps.</param>
    /// <param name="left">[rows, outputs].</param>
    internal static FloatMatrix MultiplyFromLeft(this IBaseModel model, BaseModule module, FloatMatrix left)
    {
        var product = new FloatMatrix(left.Rows, module.Inputs);
        float[] row = new float[module.Inputs];
        for (int output = 0; output < module.Outputs; output++)
        {
            model.CopyWeightRow(module.Site, output, row);
            for (int k = 0; k < left.Rows; k++)
            {
                TensorPrimitives.MultiplyAdd(row, left.Row(k)[output], product.Row(k), product.Row(k));
            }
        }

        return product;
    }

    /// <summary>rows·Wᵀ, [rows, outputs].</summary>
    /// <param name="model">The base.</param>
    /// <param name="module">One of its linear maps.</param>
    /// <param name="rows">[rows, inputs].</param>
    internal static FloatMatrix MultiplyRows(this IBaseModel model, BaseModule module, FloatMatrix rows)
    {
        var product = new FloatMatrix(rows.Rows, module.Outputs);
        model.Multiply(module.Site, rows, product);
        return product;
    }

    /// <summary>matrix ← matrix∘W, element by element.</summary>
    /// <param name="model">The base.</param>
    /// <param name="module">One of its linear maps, or the token table.</param>
    /// <param name="matrix">[outputs, inputs].</param>
    /// <param name="replaced">What is added to W beforehand; null for nothing.</param>
    internal static void MultiplyElements(this IBaseModel model, BaseModule module, FloatMatrix matrix, FloatMatrix? replaced = null)
    {
        float[] weight = new float[module.Inputs];
        for (int output = 0; output < module.Outputs; output++)
        {
            model.CopyWeightRow(module.Site, output, weight);
            if (replaced is not null)
            {
                TensorPrimitives.Add(weight, replaced.Row(output), weight);
            }

            TensorPrimitives.Multiply(matrix.Row(output), weight, matrix.Row(output));
        }
    }

    /// <summary>A module's bias.</summary>
    internal static float[] Bias(this IBaseModel model, BaseModule module)
    {
        float[] bias = new float[module.Outputs];
        model.CopyBias(module.Site, bias);
        return bias;
    }

    /// <summary>For each layer the path of its attention.</summary>
    internal static IEnumerable<string> AttentionPaths(this IBaseModel model) =>
        model.Modules.Where(module => module.Site.Role == SiteRole.Output).OrderBy(module => module.Site.Layer).Select(module => module.Path[..module.Path.LastIndexOf('.')]);

    /// <summary>A norm's gains, then its biases.</summary>
    internal static float[] Parameters(this IBaseModel model, BaseNorm norm)
    {
        float[] parameters = new float[norm.ParameterCount];
        model.CopyNorm(norm.Site, parameters);
        return parameters;
    }

    /// <summary>Values less the base's, in place; null where nothing differs.</summary>
    internal static float[]? LessBase(this float[] values, ReadOnlySpan<float> original)
    {
        TensorPrimitives.Subtract(values, original, values);
        return values.AsSpan().ContainsAnyExcept(0f) ? values : null;
    }
}
