using FsCheck;
using FsCheck.Fluent;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Kernels.Panels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Tests.Matrices;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Tests.Kernels;

public sealed unsafe class GemmTests : IDisposable
{
    private readonly WorkerPool _pool = new(3);

    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 },
        { 6, 16, 8 },
        { 7, 17, 33 },
        { 8, 100, 300 },
        { 10, 40, 20 },
        { 18, 7, 30 },
        { 100, 8, 300 },
        { 97, 31, 257 },
        { 300, 33, 8 },
        { 13, 129, 520 },
        { 5, 1100, 3 },
        { 25, 64, 256 },
        { 0, 4, 4 },
        { 4, 0, 4 },
        { 4, 4, 0 },
    };

    public void Dispose() => _pool.Dispose();

    [Theory]
    [MemberData(nameof(Shapes))]
    public void RunSerial_RowsAndTransposes_EqualTheDoubleReference(int m, int n, int k)
    {
        var random = new Random(m + n + k);
        using var a = new Factor(m, k, random);
        using var b = new Factor(k, n, random);
        foreach (PanelKernels kernels in PanelKernels.All)
        {
            foreach (GemmOperand left in a.Both)
            {
                foreach (GemmOperand right in b.Both)
                {
                    Check(kernels, left, a.Values, right, b.Values, 1, adds: false);
                    Check(kernels, left, a.Values, right, b.Values, -0.75f, adds: true);
                }
            }
        }
    }

    [Fact]
    public void RunSerial_PackedMatrixOnEitherSide_EqualsTheDoubleReference()
    {
        foreach (PanelKernels kernels in PanelKernels.All)
        {
            foreach (ElementType type in RandomMatrix.Types)
            {
                foreach ((int other, int outputs, int inputs) in (ReadOnlySpan<(int, int, int)>)[(1, 3, 32), (9, 70, 96), (30, 300, 64), (2, 17, 352)])
                {
                    int width = type.BlockElements() > 1 ? RandomMatrix.Width(type, inputs) : inputs - 5;
                    Tensor tensor = RandomMatrix.Create(type, outputs, width, other);
                    using PackedMatrix matrix = PackedMatrix.Pack(tensor, Arithmetic.Fast, default, kernels.Lanes);
                    var random = new Random(outputs);
                    using var left = new Factor(other, outputs, random);
                    using var right = new Factor(width, other, random);
                    foreach ((GemmOperand l, GemmOperand r) in left.Both.Zip(right.Both))
                    {
                        Check(kernels, l, left.Values, GemmOperand.Of(matrix), tensor.ToFloats(), 1, adds: false);
                        Check(kernels, GemmOperand.Of(matrix), tensor.ToFloats(), r, right.Values, 0.5f, adds: true);
                    }
                }
            }
        }
    }

    [Fact]
    public void RunSerial_Nf4Matrix_EqualsTheDoubleReference()
    {
        foreach (PanelKernels kernels in PanelKernels.All)
        {
            var stored = Nf4Matrix.Quantize(RandomMatrix.Floats(70 * 96, 1), 70, 96);
            using PackedMatrix matrix = PackedMatrix.Pack(stored, default, kernels.Lanes);
            float[] values = new float[70 * 96];
            for (int row = 0; row < 70; row++)
            {
                stored.CopyRow(row, values.AsSpan(row * 96, 96));
            }

            using var left = new Factor(11, 70, new Random(1));
            Check(kernels, left.Plain, left.Values, GemmOperand.Of(matrix), values, 1, adds: false);
        }
    }

    [Fact]
    public void Run_AnyRowsColumnsWorkersAndWidths_GivesAnElementTheSameBits()
    {
        const int M = 150;
        const int N = 200;
        using var one = new WorkerPool(1);
        foreach (int k in (ReadOnlySpan<int>)[8, 64, 544])
        {
            var random = new Random(k);
            using var a = new Factor(M, k, random);
            using var b = new Factor(k, N, random);
            using PackedMatrix matrix = PackedMatrix.FromFloats(b.Values, k, N);
            float[] whole = new float[M * N];
            using var c = new NativeRows(M, N);
            Gemm.Run(one, a.Plain, b.Plain, c.View, 0.3f);
            c.ToArray().CopyTo(whole, 0);
            Prop.ForAll(
                Gen.Choose(1, M).Two().Zip(Gen.Choose(1, N).Two()).Zip(Gen.Choose(0, 5)).ToArbitrary(),
                choice =>
                {
                    (((int row, int rowEnd), (int column, int columnEnd)), int kind) = choice;
                    (row, rowEnd) = (Math.Min(row, rowEnd) - 1, Math.Max(row, rowEnd));
                    (column, columnEnd) = (Math.Min(column, columnEnd) - 1, Math.Max(column, columnEnd));
                    (column, columnEnd) = kind % 3 == 2 ? (0, N) : (column, columnEnd);
                    GemmOperand left = kind < 3
                        ? GemmOperand.Of(a.PlainRows.Slice(row, rowEnd - row))
                        : GemmOperand.Transposed(a.TransposedRows.Columns(row, rowEnd - row));
                    GemmOperand right = (kind % 3) switch
                    {
                        0 => GemmOperand.Of(b.PlainRows.Columns(column, columnEnd - column)),
                        1 => GemmOperand.Transposed(b.TransposedRows.Slice(column, columnEnd - column)),
                        _ => GemmOperand.Of(matrix),
                    };
                    using var part = new NativeRows(rowEnd - row, columnEnd - column);
                    Gemm.Run(_pool, left, right, part.View, 0.3f);
                    for (int r = row; r < rowEnd; r++)
                    {
                        Assert.Equal(whole.AsSpan((r * N) + column, columnEnd - column), part.View.Span(r - row));
                    }
                }).QuickCheckThrowOnFailure();
        }
    }

    [Fact]
    public void Run_ManyWorkers_EqualsSerial()
    {
        var random = new Random(1);
        foreach ((int m, int n, int k) in (ReadOnlySpan<(int, int, int)>)[(700, 20, 64), (20, 900, 64), (400, 300, 40), (3, 40, 5000)])
        {
            using var a = new Factor(m, k, random);
            using var b = new Factor(k, n, random);
            foreach ((GemmOperand left, GemmOperand right) in a.Both.Zip(b.Both))
            {
                using var serial = new NativeRows(m, n);
                using var shared = new NativeRows(m, n);
                Gemm.RunSerial(left, right, serial.View);
                Gemm.Run(_pool, left, right, shared.View);
                Assert.Equal(serial.ToArray(), shared.ToArray());
            }
        }
    }

    [Fact]
    public void Run_WarmedUp_AllocatesNothing()
    {
        var random = new Random(1);
        using var a = new Factor(50, 60, random);
        using var b = new Factor(60, 70, random);
        using var c = new NativeRows(50, 70);
        Gemm.Run(_pool, a.Plain, b.Turned, c.View);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Gemm.Run(_pool, a.Plain, b.Turned, c.View);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Run_ShapesThatDoNotFit_AreRefused()
    {
        using var a = new NativeRows(2, 3);
        Assert.Throws<ArgumentException>(() => Gemm.RunSerial(GemmOperand.Of(a.View), GemmOperand.Of(a.View), a.View));
        Assert.Throws<ArgumentException>(() => Gemm.Run(_pool, GemmOperand.Transposed(a.View), GemmOperand.Of(a.View), a.View));
    }

    private static void Check(PanelKernels kernels, GemmOperand a, float[] left, GemmOperand b, float[] right, float scale, bool adds)
    {
        (int m, int n, int k) = (a.Rows, b.Columns, a.Columns);
        using var wide = new NativeRows(m + 1, n + 5, new Random(3));
        float[] before = wide.ToArray();
        Gemm.RunSerial(kernels, a, b, wide.View.Slice(0, m).Columns(2, n), scale, adds);
        float[] after = wide.ToArray();
        for (int i = 0; i < after.Length; i++)
        {
            (int row, int column) = (i / (n + 5), (i % (n + 5)) - 2);
            if (row >= m || column < 0 || column >= n)
            {
                Assert.Equal(before[i], after[i]);
                continue;
            }

            double expected = 0;
            double magnitude = 0;
            for (int inner = 0; inner < k; inner++)
            {
                double product = (double)left[(row * k) + inner] * right[(inner * n) + column];
                expected += product;
                magnitude += Math.Abs(product);
            }

            expected = (scale * expected) + (adds ? before[i] : 0);
            magnitude += Math.Abs(expected);
            Assert.True(Math.Abs(after[i] - expected) <= 1e-5 * (magnitude + 1e-3), $"{m}×{n}×{k} at {row}, {column}: {after[i]} is not {expected}");
        }
    }

    /// <summary>A matrix as its rows and as its columns, each with a stride of its own.</summary>
    private sealed class Factor : IDisposable
    {
        private readonly NativeRows _plain;
        private readonly NativeRows _transposed;

        public Factor(int rows, int columns, Random random)
        {
            _plain = new NativeRows(rows, columns + 3, random);
            _transposed = new NativeRows(columns, rows + 1);
            Values = new float[rows * columns];
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    float value = _plain.View[row][column];
                    Values[(row * columns) + column] = value;
                    _transposed.View[column][row] = value;
                }
            }

            PlainRows = _plain.View.Columns(0, columns);
            TransposedRows = _transposed.View.Columns(0, rows);
        }

        public float[] Values { get; }

        public Rows PlainRows { get; }

        public Rows TransposedRows { get; }

        public GemmOperand Plain => GemmOperand.Of(PlainRows);

        public GemmOperand Turned => GemmOperand.Transposed(TransposedRows);

        public GemmOperand[] Both => [Plain, Turned];

        public void Dispose()
        {
            _plain.Dispose();
            _transposed.Dispose();
        }
    }
}
