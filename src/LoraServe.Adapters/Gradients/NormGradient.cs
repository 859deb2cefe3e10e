using System.Numerics.Tensors;

namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives by what an adapter makes of a norm: by its gains and, where it has them, its biases.</summary>
/// <param name="count">Number of both.</param>
public sealed class NormGradient(int count)
{
    /// <summary>[1, gains and then biases].</summary>
    public GradientMatrix Parameters { get; } = new(1, count);

    /// <summary>Adds to the gradients of parameters that take the gains' and the biases' place, or are added to them.</summary>
    internal void AddTo(int width, Parameter? gains, Parameter? biases)
    {
        Add(Parameters.Values.AsSpan(0, width), gains);
        Add(Parameters.Values.AsSpan(width), biases);
    }

    private static void Add(ReadOnlySpan<float> values, Parameter? parameter)
    {
        if (parameter is not null)
        {
            TensorPrimitives.Add(parameter.Gradient, values, parameter.Gradient);
        }
    }
}
