using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Kernels.Panels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Tests.Matrices;
using LoraServe.Compute.Workers;
using LoraServe.Testing;

namespace LoraServe.Compute.Tests.Kernels;

public sealed unsafe class MatMulTests : IDisposable
{
    private readonly WorkerPool _pool = new(2);

    public static TheoryData<int, ElementType, Arithmetic> KernelsAndTypes()
    {
        var data = new TheoryData<int, ElementType, Arithmetic>();
        foreach (PanelKernels kernels in PanelKernels.All)
        {
            foreach (ElementType type in RandomMatrix.Types)
            {
                data.Add(kernels.Lanes, type, Arithmetic.Exact);
                data.Add(kernels.Lanes, type, Arithmetic.Fast);
            }
        }

        return data;
    }

    public void Dispose() => _pool.Dispose();

    [Theory]
    [MemberData(nameof(KernelsAndTypes))]
    public void Run_AnyShape_EqualsThePlainDefinition(int lanes, ElementType type, Arithmetic arithmetic)
    {
        foreach ((int rows, int outputs, int inputs) in (ReadOnlySpan<(int, int, int)>)
            [(1, 1, 32), (1, 7, 64), (1, 100, 96), (2, 17, 64), (3, 16, 32), (4, 33, 128), (5, 40, 64), (7, 8, 32), (13, 65, 160), (1, 48, 24), (6, 3, 1), (11, 20, 50), (10, 21, 500)])
        {
            int width = RandomMatrix.Width(type, inputs);
            using var product = new MatMulCase(KernelsOf(lanes), type, arithmetic, rows, outputs, width, outputs + inputs);
            float[] y = product.Run(_pool);
            for (int i = 0; i < y.Length; i++)
            {
                (double expected, double magnitude) = product.Matrix.ReadsIntegers
                    ? product.RoundedReference(i / outputs, i % outputs)
                    : product.Reference(i / outputs, i % outputs);
                Assert.True(Math.Abs(y[i] - expected) <= 1e-5 * (magnitude + 1e-3), $"{rows}×{outputs}×{width} at {i}: {y[i]} is not {expected}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(KernelsAndTypes))]
    public void Run_AnyRowsAndWorkers_GivesARowTheSameBits(int lanes, ElementType type, Arithmetic arithmetic)
    {
        // Many panels, and so few that a matrix counts as narrow.
        foreach (int outputs in (ReadOnlySpan<int>)[150, 11])
        {
            using var product = new MatMulCase(KernelsOf(lanes), type, arithmetic, rows: 23, outputs, inputs: RandomMatrix.Width(type, 96));
            float[] all = product.Run(_pool);
            Prop.ForAll(
                Gen.Choose(0, 22).SelectMany(first => Gen.Choose(0, 23 - first).SelectMany(count => Gen.Choose(1, 4).Select(workers => (first, count, workers)))).ToArbitrary(),
                sample =>
                {
                    using var pool = new WorkerPool(sample.workers);
                    float[] some = product.Run(pool, product.X.Slice(sample.first, sample.count));
                    return some.AsSpan().SequenceEqual(all.AsSpan(sample.first * outputs, sample.count * outputs));
                }).Check(Config.QuickThrowOnFailure.WithMaxTest(20));
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void Run_WeightsWhereTheyLie_GivesTheBitsOfAPackedCopy(int lanes)
    {
        foreach ((int rows, int outputs, int inputs) in (ReadOnlySpan<(int, int, int)>)[(1, 7, 64), (2, 100, 50), (5, 33, 129), (9, 16, 32), (13, 65, 161), (3, 1, 1)])
        {
            using var product = new MatMulCase(KernelsOf(lanes), ElementType.F32, Arithmetic.Exact, rows, outputs, inputs);
            using PackedMatrix over = PackedMatrix.Over(new Rows((nint)product.Tensor.Data, outputs, inputs, inputs), lanes);
            Assert.Equal(product.Run(_pool), product.Run(_pool, product.X, over));

            float[] row = new float[inputs];
            float[] expected = new float[inputs];
            over.CopyRow(outputs - 1, row);
            product.Matrix.CopyRow(outputs - 1, expected);
            Assert.Equal(expected, row);

            using var dy = new NativeRows(rows, outputs, new Random(3));
            using var dx = new NativeRows(rows, inputs);
            using var dxOver = new NativeRows(rows, inputs);
            Gemm.Run(_pool, GemmOperand.Of(dy.View), GemmOperand.Of(product.Matrix), dx.View);
            Gemm.Run(_pool, GemmOperand.Of(dy.View), GemmOperand.Of(over), dxOver.View);
            Assert.Equal(dx.ToArray(), dxOver.ToArray());
        }
    }

    public static TheoryData<ElementType> BlockTypes => [.. RandomMatrix.Types.Where(type => type.BlockElements() > 1)];

    [Theory]
    [MemberData(nameof(BlockTypes))]
    public void Run_ExtremeCodes_DoNotSaturate(ElementType type)
    {
        int inputs = RandomMatrix.Width(type, 64);
        foreach (PanelKernels kernels in PanelKernels.All)
        {
            foreach ((byte code, float x) in (ReadOnlySpan<(byte, float)>)[(0xFF, 1f), (0xFF, -1f), (0x7F, 1f), (0x7F, -1f), (0x80, -1f), (0, 1f)])
            {
                byte[] bytes = new byte[type.ByteLength(9 * inputs)];
                Array.Fill(bytes, code);
                for (int block = 0; block < bytes.Length; block += type.BlockBytes())
                {
                    ImmutableArray<int> halves = StoredFormats.Of(type).Halves;
                    BitConverter.TryWriteBytes(bytes.AsSpan(block + halves[0]), (Half)0.5);
                    if (halves.Length > 1)
                    {
                        BitConverter.TryWriteBytes(bytes.AsSpan(block + halves[1]), (Half)(-3));
                    }
                }

                using var product = new MatMulCase(kernels, Tensor.FromBytes("w", type, bytes, 9, inputs), Arithmetic.Fast, [.. Enumerable.Repeat(x, 5 * inputs)], 5);
                Assert.All(product.Run(_pool), value => Assert.Equal(product.Reference(0, 0).Value, value, Math.Abs(value) * 1e-5));
            }
        }
    }

    [Theory]
    [MemberData(nameof(KernelsAndTypes))]
    public void Run_ActivationsThatAreNotFinite_SpoilTheirOwnRowOnly(int lanes, ElementType type, Arithmetic arithmetic)
    {
        foreach (float poison in (ReadOnlySpan<float>)[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            int width = RandomMatrix.Width(type, 64);
            float[] x = RandomMatrix.Floats(5 * width, 3);
            x[(2 * width) + 40] = poison;
            using var product = new MatMulCase(KernelsOf(lanes), RandomMatrix.Create(type, 10, width, 4), arithmetic, x, 5);
            float[] y = product.Run(_pool);
            for (int i = 0; i < y.Length; i++)
            {
                Assert.True(float.IsFinite(y[i]) || i / 10 == 2);
            }

            Assert.Contains(y.AsSpan(20, 10).ToArray(), value => !float.IsFinite(value));
        }
    }

    [Fact]
    public void Run_TinyAndZeroActivations_GiveFiniteResults()
    {
        float[] x = new float[3 * 64];
        Array.Fill(x, 1e-44f, 64, 64);
        Array.Fill(x, float.MaxValue, 128, 64);
        foreach (PanelKernels kernels in PanelKernels.All)
        {
            using var product = new MatMulCase(kernels, RandomMatrix.Create(ElementType.Q4_1, 9, 64, 5), Arithmetic.Fast, x, 3);
            float[] y = product.Run(_pool);
            Assert.All(y[..9], value => Assert.Equal(0, value));
            Assert.All(y[..18], value => Assert.True(float.IsFinite(value)));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(40)]
    public void Run_SeveralParts_FillsEachAndAppliesTheEpilogueToEveryColumnOnce(int rows)
    {
        using PackedMatrix a = PackedMatrix.Pack(RandomMatrix.Create(ElementType.Q4_1, 100, 64, 1), Arithmetic.Fast);
        using PackedMatrix b = PackedMatrix.Pack(RandomMatrix.Create(ElementType.Q8_0, 33, 64, 2), Arithmetic.Fast);
        using PackedMatrix c = PackedMatrix.Pack(RandomMatrix.Create(ElementType.F16, 257, 64, 3), Arithmetic.Fast);
        PackedMatrix[] parts = [a, b, c];
        using var scratch = new ScratchArena();
        Rows x = scratch.Rent(rows, 64);
        RandomMatrix.Floats(rows * 64, 4).CopyTo(new Span<float>(x[0], rows * 64));
        Rows[] together = [.. parts.Select(part => scratch.Rent(rows, part.Outputs))];
        MatMulInput input = MatMulInput.Prepare(_pool, scratch, x, parts);
        int[][] seen = [.. parts.Select(part => new int[part.Outputs])];
        var count = new CountingEpilogue(seen);
        MatMul.Run(_pool, input, parts, together, ref count);

        var none = default(MatMulCase.NoEpilogue);
        for (int part = 0; part < parts.Length; part++)
        {
            Rows alone = scratch.Rent(rows, parts[part].Outputs);
            MatMul.Run(_pool, input, [parts[part]], [alone], ref none);
            for (int row = 0; row < rows; row++)
            {
                Assert.True(alone.Span(row).SequenceEqual(together[part].Span(row)));
            }

            Assert.All(seen[part], times => Assert.Equal(1, times));
        }
    }

    [Theory]
    [MemberData(nameof(KernelsAndTypes))]
    public void RunSerial_AnyType_EqualsTheExactProduct(int lanes, ElementType type, Arithmetic arithmetic)
    {
        using var product = new MatMulCase(KernelsOf(lanes), type, arithmetic, rows: 9, outputs: 21, inputs: RandomMatrix.Width(type, 64));
        using var scratch = new ScratchArena();
        Rows y = scratch.Rent(9, 21);
        MatMul.RunSerial(product.Matrix, product.X, y);
        for (int i = 0; i < 9 * 21; i++)
        {
            (double expected, double magnitude) = product.Reference(i / 21, i % 21);
            Assert.Equal(expected, y[i / 21][i % 21], 1e-5 * (magnitude + 1e-3));
        }
    }

    [Fact]
    public void AddSerial_AnyColumnRange_EqualsTheWholeAndTouchesNothingElse()
    {
        const int outputs = 43;
        foreach (PanelKernels kernels in PanelKernels.All)
        {
            foreach (int rank in (ReadOnlySpan<int>)[1, 4, 8, 64, 200])
            {
                foreach (int rows in (ReadOnlySpan<int>)[1, 5, 13])
                {
                    using PackedMatrix b = PackedMatrix.FromFloats(RandomMatrix.Floats(outputs * rank, rank), outputs, rank, kernels.Lanes);
                    using var scratch = new ScratchArena();
                    Rows x = scratch.Rent(rows, rank);
                    RandomMatrix.Floats(rows * rank, 8).CopyTo(new Span<float>(x[0], rows * rank));
                    Rows whole = scratch.Rent(rows, outputs);
                    Fill(whole);
                    MatMul.AddSerial(b, x, 0.25f, whole, 0, outputs);
                    Rows product = scratch.Rent(rows, outputs);
                    MatMul.RunSerial(b, x, product);
                    foreach ((int first, int count) in (ReadOnlySpan<(int, int)>)[(0, 0), (0, 1), (5, 20), (8, 8), (42, 1), (15, 28)])
                    {
                        Rows part = scratch.Rent(rows, outputs);
                        Fill(part);
                        MatMul.AddSerial(b, x, 0.25f, part, first, count);
                        for (int i = 0; i < rows * outputs; i++)
                        {
                            (int row, int column) = Math.DivRem(i, outputs);
                            bool inside = column >= first && column < first + count;
                            Assert.Equal(inside ? whole[row][column] : column, part[row][column]);
                            Assert.Equal(column + (0.25 * product[row][column]), whole[row][column], 1e-4);
                        }
                    }
                }
            }
        }

        static void Fill(Rows rows)
        {
            for (int i = 0; i < rows.Count * rows.Width; i++)
            {
                rows[i / rows.Width][i % rows.Width] = i % rows.Width;
            }
        }
    }

    [Fact]
    public void PrepareAndRun_OnceWarm_AllocateNothing()
    {
        foreach (ElementType type in RandomMatrix.Types)
        {
            foreach (int rows in (ReadOnlySpan<int>)[1, 64])
            {
                using PackedMatrix m = PackedMatrix.Pack(RandomMatrix.Create(type, 64, 512, 1), Arithmetic.Fast);
                using var scratch = new ScratchArena();
                using var buffer = new NativeBuffer(64 * 576 * sizeof(float));
                var x = new Rows((nint)buffer.Pointer, rows, 512, 512);
                var y = new Rows((nint)buffer.Pointer + (64 * 512 * sizeof(float)), rows, 64, 64);

                Assert.Equal(0, Allocations.OfEach(() => Step(m, scratch, x, y)));
            }
        }

        void Step(PackedMatrix m, ScratchArena scratch, Rows x, Rows y)
        {
            scratch.Reset();
            MatMulInput input = MatMulInput.Prepare(_pool, scratch, x, [m]);
            var none = default(MatMulCase.NoEpilogue);
            MatMul.Run(_pool, input, [m], [y], ref none);
        }
    }

    [Fact]
    public void Run_ShapesThatDoNotFit_AreRefused()
    {
        using PackedMatrix m = PackedMatrix.FromFloats(new float[12], 3, 4);
        using PackedMatrix quantised = PackedMatrix.Pack(RandomMatrix.Create(ElementType.Q8_0, 4, 32, 1), Arithmetic.Fast);
        using var scratch = new ScratchArena();
        Rows x = scratch.Rent(2, 4);
        Assert.Throws<ArgumentException>(() => MatMul.RunSerial(m, scratch.Rent(2, 5), scratch.Rent(2, 3)));
        Assert.Throws<ArgumentException>(() => MatMul.RunSerial(m, x, scratch.Rent(1, 3)));
        Assert.Throws<ArgumentException>(() => MatMul.RunSerial(m, x, scratch.Rent(2, 2)));
        Assert.Throws<ArgumentException>(() => MatMul.AddSerial(m, x, 1, scratch.Rent(2, 3), 2, 2));
        Assert.Throws<ArgumentException>(() => MatMulInput.Prepare(_pool, scratch, x, [quantised]));
        Assert.Throws<InvalidOperationException>(() =>
        {
            var none = default(MatMulCase.NoEpilogue);
            MatMulInput unprepared = MatMulInput.Prepare(_pool, scratch, scratch.Rent(1, 32), []);
            MatMul.Run(_pool, unprepared, [quantised], [scratch.Rent(1, 4)], ref none);
        });
    }

    private static PanelKernels KernelsOf(int lanes) => PanelKernels.All.Single(kernels => kernels.Lanes == lanes);

    private readonly struct CountingEpilogue(int[][] seen) : IMatMulEpilogue
    {
        public void Apply(int part, int firstColumn, int columnCount)
        {
            foreach (ref int times in seen[part].AsSpan(firstColumn, columnCount))
            {
                Interlocked.Increment(ref times);
            }
        }
    }
}
