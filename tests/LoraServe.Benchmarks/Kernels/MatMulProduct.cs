using LoraServe.Compute;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;

namespace LoraServe.Benchmarks.Kernels;

/// <summary>One product with seeded weights and rows, ready to be timed.</summary>
internal sealed class MatMulProduct : IDisposable
{
    private readonly ScratchArena _scratch = new();
    private readonly ScratchArena _rows = new();
    private readonly Rows _x;
    private readonly Rows _y;

    public MatMulProduct(ElementType type, int outputs, int inputs, int rows)
    {
        Matrix = Weights(type, outputs, inputs);
        _x = _rows.Rent(rows, inputs);
        _y = _rows.Rent(rows, outputs);
        for (int row = 0; row < rows; row++)
        {
            for (int k = 0; k < inputs; k++)
            {
                _x.Span(row)[k] = MathF.Sin(row + (k * 0.37f));
            }
        }
    }

    public PackedMatrix Matrix { get; }

    public double Operations => 2.0 * Matrix.Outputs * Matrix.Inputs * _x.Count;

    public void Run(WorkerPool pool)
    {
        _scratch.Reset();
        MatMulInput input = MatMulInput.Prepare(pool, _scratch, _x, [Matrix]);
        var none = default(NoEpilogue);
        MatMul.Run(pool, input, [Matrix], [_y], ref none);
    }

    public void Dispose()
    {
        Matrix.Dispose();
        _scratch.Dispose();
        _rows.Dispose();
    }

    private static PackedMatrix Weights(ElementType type, int outputs, int inputs)
    {
        byte[] bytes = new byte[type.ByteLength((long)outputs * inputs)];
        new Random(1).NextBytes(bytes);

        // Bytes that hold signs and exponents: small normal numbers.
        for (int i = type.BlockBytes() - 1; type.BlockElements() == 1 && i < bytes.Length; i += type.BlockBytes())
        {
            bytes[i] = (byte)((bytes[i] & 0x83) | 0x38);
        }

        for (int block = 0; type.BlockElements() > 1 && block < bytes.Length; block += type.BlockBytes())
        {
            foreach (int half in StoredFormats.Of(type).Halves)
            {
                bytes[block + half + 1] = 0x20;
            }
        }

        return PackedMatrix.Pack(Tensor.FromBytes("weight", type, bytes, outputs, inputs), Arithmetic.Fast);
    }

    private struct NoEpilogue : IMatMulEpilogue
    {
        public readonly void Apply(int part, int firstColumn, int columnCount)
        {
        }
    }
}
