using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Forward;
using LoraServe.Cpu.Resident;

namespace LoraServe.Cpu.Backward;

/// <summary>The way back through a rotation of inputs or outputs; the way forth is <see cref="RowRotation"/>.</summary>
internal sealed unsafe class RotationBackward(WorkerPool pool, ScratchArena scratch)
{
    /// <summary>Takes the derivative by rotated rows back to the rows and to the rotation's factors.</summary>
    /// <param name="factors">The rotation.</param>
    /// <param name="gradients">Where derivatives by its factors go, added to; null where they are not wanted.</param>
    /// <param name="weight">The adapter's weight.</param>
    /// <param name="x">The rows; not looked at where <paramref name="gradients"/> is null.</param>
    /// <param name="dx">Derivative by the rotated rows; then, by the rows.</param>
    public void Run(ReadOnlySpan<RotationFactor> factors, IReadOnlyList<GradientMatrix>? gradients, float weight, Rows x, Rows dx)
    {
        long mark = scratch.Mark();
        Rows[] inputs = gradients is null ? new Rows[factors.Length] : InputsOf(factors, x);

        // x̂ = (1 − w)·x + w·(what comes out of the last factor).
        Rows gradient = scratch.Rent(dx.Count, dx.Width);
        for (int t = 0; t < dx.Count; t++)
        {
            RowArithmetic.Multiply(dx[t], weight, gradient[t], dx.Width);
            RowArithmetic.Multiply(dx[t], 1 - weight, dx[t], dx.Width);
        }

        for (int k = factors.Length - 1; k >= 0; k--)
        {
            RotationFactor factor = factors[k];
            Rows outer = Gather(gradient, factor.Order);
            Rows inner = factor.Order == 0 ? gradient : scratch.Rent(gradient.Count, gradient.Width);
            int blocks = dx.Width / factor.Size;
            var kernel = new BlockKernel(factor, inputs[k], outer, inner, gradients?[k].Rows ?? default);
            RowLoop.Run(pool, blocks, 2L * dx.Count * dx.Width * factor.Size, kernel);
            if (factor.Order != 0)
            {
                Scatter(inner, factor.Order, gradient);
            }
        }

        for (int t = 0; t < dx.Count; t++)
        {
            RowArithmetic.Add(gradient[t], dx[t], dx.Width);
        }

        scratch.Release(mark);
    }

    /// <summary>What each factor is applied to, its columns in the factor's order.</summary>
    private Rows[] InputsOf(ReadOnlySpan<RotationFactor> factors, Rows x)
    {
        Rows[] inputs = new Rows[factors.Length];
        Rows rotated = scratch.Copy(x);
        Rows spare = scratch.Rent(x.Count, RowRotation.SpareWidths * x.Width);
        for (int k = 0; k < factors.Length; k++)
        {
            inputs[k] = Gather(rotated, factors[k].Order);
            if (k < factors.Length - 1)
            {
                RowLoop.Run(pool, x.Count, (long)x.Count * x.Width * factors[k].Size, new ForwardKernel(factors[k], rotated, spare));
            }
        }

        return inputs;
    }

    /// <summary>A copy with the columns in an order; 0 for their own.</summary>
    private Rows Gather(Rows rows, nint order)
    {
        if (order == 0)
        {
            return scratch.Copy(rows);
        }

        Rows copy = scratch.Rent(rows.Count, rows.Width);
        for (int t = 0; t < rows.Count; t++)
        {
            for (int i = 0; i < rows.Width; i++)
            {
                copy[t][i] = rows[t][((int*)order)[i]];
            }
        }

        return copy;
    }

    private static void Scatter(Rows rows, nint order, Rows target)
    {
        for (int t = 0; t < rows.Count; t++)
        {
            for (int i = 0; i < rows.Width; i++)
            {
                target[t][((int*)order)[i]] = rows[t][i];
            }
        }
    }

    private readonly struct ForwardKernel(RotationFactor factor, Rows rows, Rows spare) : IRowKernel
    {
        public void Run(int first, int end)
        {
            for (int t = first; t < end; t++)
            {
                RowRotation.ApplyFactor(factor, 1, rows[t], rows.Width, spare[t]);
            }
        }
    }

    /// <summary>Some blocks of a factor, over all rows: dD += xᵀ·dz and dx = dz + dz·Dᵀ.</summary>
    private readonly struct BlockKernel(RotationFactor factor, Rows x, Rows outer, Rows inner, Rows gradient) : IRowKernel
    {
        public void Run(int first, int end)
        {
            int size = factor.Size;
            for (int block = first; block < end; block++)
            {
                int column = block * size;
                Rows dz = outer.Columns(column, size);
                Rows dx = inner.Columns(column, size);
                if (gradient.Count > 0)
                {
                    Gemm.RunSerial(GemmOperand.Transposed(x.Columns(column, size)), GemmOperand.Of(dz), gradient.Slice(column, size), 1, adds: true);
                }

                for (int t = 0; t < dz.Count; t++)
                {
                    dz.Span(t).CopyTo(dx.Span(t));
                }

                var changes = new Rows(factor.Changes + ((nint)column * size * sizeof(float)), size, size, size);
                Gemm.RunSerial(GemmOperand.Of(dz), GemmOperand.Transposed(changes), dx, 1, adds: true);
            }
        }
    }
}
