using System.Runtime.InteropServices;
using LoraServe.Compute.Memory;

namespace LoraServe.Adapters.Gradients;

/// <summary>Derivatives by a matrix or a vector (one row): an array that kernels can write to, because it does not move.</summary>
public sealed unsafe class GradientMatrix
{
    /// <summary>Zeros.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Length of a row.</param>
    public GradientMatrix(int rows, int columns)
        : this(rows, columns, GC.AllocateArray<float>(checked(rows * columns), pinned: true))
    {
    }

    /// <summary>The gradient of a parameter, so that nothing has to be brought there.</summary>
    /// <param name="parameter">Of two dimensions.</param>
    public GradientMatrix(Parameter parameter)
        : this(parameter.Shape[0], parameter.Shape[1], parameter.Gradient)
    {
    }

    private GradientMatrix(int rows, int columns, float[] pinned)
    {
        Values = pinned;
        Rows = new Rows((nint)Pointer, rows, columns, columns);
    }

    /// <summary>The elements, row after row.</summary>
    public float[] Values { get; }

    /// <summary>The same memory as rows.</summary>
    public Rows Rows { get; }

    /// <summary>The first element.</summary>
    public float* Pointer => (float*)Marshal.UnsafeAddrOfPinnedArrayElement(Values, 0);
}
