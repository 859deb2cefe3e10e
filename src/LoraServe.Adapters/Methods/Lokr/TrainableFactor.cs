using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Training;

namespace LoraServe.Adapters.Methods.Lokr;

/// <summary>A factor of a Kronecker product whose parameter is itself, or whose parameters are what it is the product of.</summary>
internal sealed class TrainableFactor
{
    private readonly Parameter? _whole;

    /// <summary>One that is trained whole.</summary>
    public TrainableFactor(Parameter whole)
    {
        Value = KroneckerFactor.Of(whole.Matrix());
        bool isLeft = ReferenceEquals(Value.Left.Values, whole.Values);
        (_whole, Left, Right) = (whole, isLeft ? whole : null, isLeft ? null : whole);
    }

    /// <summary>One that is trained as a product.</summary>
    public TrainableFactor(Parameter left, Parameter right)
    {
        Value = KroneckerFactor.Of(left.Matrix(), right.Matrix());
        (Left, Right) = (left, right);
    }

    /// <summary>The factor; its matrices are the parameters' own arrays, so it follows every step.</summary>
    public KroneckerFactor Value { get; }

    /// <summary>What its left matrix is; null where that is the identity.</summary>
    public Parameter? Left { get; }

    /// <summary>What its right matrix is; null where that is the identity.</summary>
    public Parameter? Right { get; }

    /// <summary>Adds to the parameters' gradients what derivatives by the formed factor come to.</summary>
    public void Pull(float[] d)
    {
        if (_whole is not null)
        {
            TensorPrimitives.Add(_whole.Gradient, d, _whole.Gradient);
            return;
        }

        MatrixGradient.OfProduct(new FloatMatrix(Value.Left.Rows, Value.Right.Columns, d), Value.Left, Value.Right, Left!.Gradient, Right!.Gradient);
    }
}
