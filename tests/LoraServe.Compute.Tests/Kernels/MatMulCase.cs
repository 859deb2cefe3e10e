using LoraServe.Compute.Kernels;
using LoraServe.Compute.Kernels.Panels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Tests.Matrices;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Tests.Kernels;

/// <summary>One product and the plain definitions of what it must give.</summary>
internal sealed unsafe class MatMulCase : IDisposable
{
    private readonly NativeBuffer _x;
    private readonly ScratchArena _scratch = new();

    public MatMulCase(PanelKernels kernels, ElementType type, Arithmetic arithmetic, int rows, int outputs, int inputs, int seed = 1)
        : this(kernels, RandomMatrix.Create(type, outputs, inputs, seed), arithmetic, RandomMatrix.Floats(rows * inputs, seed + 1), rows)
    {
    }

    public MatMulCase(PanelKernels kernels, Tensor tensor, Arithmetic arithmetic, float[] x, int rows)
    {
        Tensor = tensor;
        Matrix = PackedMatrix.Pack(tensor, arithmetic, default, kernels.Lanes);
        // An odd stride, so that nothing relies on aligned or dense rows.
        int stride = Matrix.Inputs + 3;
        _x = new NativeBuffer((long)rows * stride * sizeof(float));
        X = new Rows((nint)_x.Pointer, rows, Matrix.Inputs, stride);
        for (int row = 0; row < rows; row++)
        {
            x.AsSpan(row * Matrix.Inputs, Matrix.Inputs).CopyTo(X.Span(row));
        }
    }

    public Tensor Tensor { get; }

    public PackedMatrix Matrix { get; }

    public Rows X { get; }

    public float[] Run(WorkerPool pool) => Run(pool, X);

    public float[] Run(WorkerPool pool, Rows x) => Run(pool, x, Matrix);

    public float[] Run(WorkerPool pool, Rows x, PackedMatrix matrix)
    {
        using var buffer = new NativeBuffer((long)x.Count * Matrix.Outputs * sizeof(float));
        var y = new Rows((nint)buffer.Pointer, x.Count, Matrix.Outputs, Matrix.Outputs);
        _scratch.Reset();
        MatMulInput input = MatMulInput.Prepare(pool, _scratch, x, [matrix]);
        var epilogue = default(NoEpilogue);
        MatMul.Run(pool, input, [matrix], [y], ref epilogue);
        return new Span<float>(buffer.Pointer, x.Count * Matrix.Outputs).ToArray();
    }

    /// <summary>Σ w·x in double precision, and Σ |w·x|, what rounding errors are relative to.</summary>
    public (double Value, double Magnitude) Reference(int row, int output)
    {
        float[] weights = new float[Matrix.Inputs];
        Tensor.CopyRow(output, weights);
        double value = 0;
        double magnitude = 0;
        for (int k = 0; k < weights.Length; k++)
        {
            double product = (double)weights[k] * X[row][k];
            value += product;
            magnitude += Math.Abs(product);
        }

        return (value, magnitude);
    }

    /// <summary>The definition of fast arithmetic: activations rounded per block of 32, everything after that in double precision.</summary>
    public (double Value, double Magnitude) RoundedReference(int row, int output)
    {
        float[] weights = new float[Matrix.Inputs];
        Tensor.CopyRow(output, weights);
        int limit = Matrix.Layout.Codes.HasBytes ? 63 : 127;
        double value = 0;
        double magnitude = 0;
        for (int block = 0; block < Matrix.Inputs; block += 32)
        {
            float maximum = 0;
            for (int k = block; k < block + 32; k++)
            {
                maximum = Math.Max(maximum, Math.Abs(X[row][k]));
            }

            float inverse = maximum == 0 ? 0 : limit / maximum;
            for (int k = block; k < block + 32; k++)
            {
                double rounded = Math.Round(X[row][k] * inverse) * (maximum / limit);
                value += weights[k] * rounded;
                magnitude += Math.Abs(weights[k] * rounded) + (Math.Abs(rounded) * 8 * Math.Abs(weights[k]));
            }
        }

        return (value, magnitude);
    }

    public void Dispose()
    {
        Matrix.Dispose();
        _x.Dispose();
        _scratch.Dispose();
    }

    public struct NoEpilogue : IMatMulEpilogue
    {
        public readonly void Apply(int part, int firstColumn, int columnCount)
        {
        }
    }
}
