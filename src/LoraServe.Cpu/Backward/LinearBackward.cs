using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Forward;
using LoraServe.Cpu.Resident;
using LoraServe.Cpu.Weights;
using LoraServe.Models.Forward;

namespace LoraServe.Cpu.Backward;

/// <summary>The way back through a linear map and the adapters' edits of it; the way forth is <see cref="LinearGroup"/>.</summary>
/// <remarks>The formula is that of <see cref="LinearEdit"/>. Sums over rows go over each adapter's rows by themselves, so no adapter's gradient depends on what else is in the batch.</remarks>
internal sealed unsafe class LinearBackward(WorkerPool pool, ScratchArena scratch)
{
    /// <summary>Takes the derivative by a map's result back to its input and to the adapters' edits.</summary>
    /// <param name="map">The map.</param>
    /// <param name="x">Its input, [T, inputs].</param>
    /// <param name="dy">Derivative by its result, [T, outputs].</param>
    /// <param name="dx">Derivative by its input, added to; no rows where it is not wanted.</param>
    /// <param name="runs">The adapters that act on the rows, none on top of another.</param>
    /// <param name="trained">Where derivatives by edits go, for the adapters that are trained.</param>
    public void Run(LinearWeights map, Rows x, Rows dy, Rows dx, ReadOnlySpan<EditRun> runs, IReadOnlyDictionary<ResidentAdapter, EditGradients> trained)
    {
        long mark = scratch.Mark();
        bool changesOutput = false;
        bool changesInput = false;
        foreach (EditRun run in runs)
        {
            changesOutput |= run.Edits.At(map.Site) is { OutputGain: not 0 } or { RotatesOutput: true };
            changesInput |= run.Edits.At(map.Site) is { ChangesInput: true };
        }

        // What comes to W's product differs from dy where outputs are scaled or rotated; dy may be the residual stream's and must stay.
        Rows dProduct = changesOutput ? scratch.Copy(dy) : dy;
        foreach (EditRun run in runs)
        {
            if (run.Edits.At(map.Site) is { } edit)
            {
                Rows dxOfRun = dx.Count > 0 ? dx.Slice(run.FirstRow, run.RowCount) : default;
                LinearEditGradient? gradient = trained.TryGetValue(run.Adapter, out EditGradients? gradients) ? gradients.At(map.Site) : null;
                Run(map, edit, gradient, run, x.Slice(run.FirstRow, run.RowCount), dProduct.Slice(run.FirstRow, run.RowCount), dxOfRun);
            }
        }

        if (!changesInput)
        {
            if (dx.Count > 0)
            {
                ThroughWeights(map, dProduct, dx, runs, adds: true);
            }
        }
        else
        {
            ThroughChangedInput(map, x, dProduct, dx, runs, trained);
        }

        scratch.Release(mark);
    }

    /// <summary>One adapter's edit: from dy to its parts and to dx; leaves in dy what comes to W's product.</summary>
    private void Run(LinearWeights map, LinearEdit edit, LinearEditGradient? gradient, in EditRun run, Rows x, Rows dy, Rows dx)
    {
        long mark = scratch.Mark();
        float weight = run.Weight;
        if (gradient?.Bias is { } bias)
        {
            AddColumnSums(dy, edit.ReplacedBias != 0 ? 1 : weight, bias.Pointer);
        }

        if (gradient?.Replacement is { } replacement)
        {
            Gemm.Run(pool, GemmOperand.Transposed(dy), GemmOperand.Of(x), replacement.Rows, adds: true);
        }

        if (edit.Dense is { } dense)
        {
            Pair(dense, gradient?.Dense, weight, x, dy, dx);
        }

        if (edit.RowDeltas is { } rows)
        {
            Pair(rows, gradient?.RowDeltas, weight, x, Columns(dy, edit.RowIds), dx);
        }

        if (edit is { A: { } a, B: { } b })
        {
            LowRank(edit, a, b, gradient, weight, x, dy, dx);
        }

        if (edit.OutputGain != 0)
        {
            if (gradient?.OutputGain is { } gain)
            {
                AddProductSums(dy, Product(map, edit, weight, x), weight, gain.Pointer);
            }

            for (int t = 0; t < dy.Count; t++)
            {
                RowArithmetic.AddProduct((float*)edit.OutputGain, weight, dy[t], dy.Width);
            }
        }

        if (edit.RotatesOutput)
        {
            // The product itself is needed for the factor's derivative alone.
            GradientMatrix? turned = gradient?.OutputRotation;
            new RotationBackward(pool, scratch).Run([edit.OutputRotation], turned is null ? null : [turned], weight, turned is null ? default : Product(map, edit, weight, x), dy);
        }

        scratch.Release(mark);
    }

    /// <summary>dx (+)= dy·W, with the weight that each row has: the base's or an adapter's instead.</summary>
    private void ThroughWeights(LinearWeights map, Rows dy, Rows dx, ReadOnlySpan<EditRun> runs, bool adds)
    {
        for (int first = 0, end; first < dy.Count; first = end)
        {
            end = dy.Count;
            PackedMatrix weight = ReplacedWeights.At(runs, map.Site, first, ref end)?.Replacement ?? map.Matrix;
            Gemm.Run(pool, GemmOperand.Of(dy.Slice(first, end - first)), GemmOperand.Of(weight), dx.Slice(first, end - first), adds: adds);
        }
    }

    /// <summary>y += weight · M·x.</summary>
    private void Pair(PackedMatrix matrix, GradientMatrix? gradient, float weight, Rows x, Rows dy, Rows dx)
    {
        if (gradient is not null)
        {
            Gemm.Run(pool, GemmOperand.Transposed(dy), GemmOperand.Of(x), gradient.Rows, weight, adds: true);
        }

        if (dx.Count > 0)
        {
            Gemm.Run(pool, GemmOperand.Of(dy), GemmOperand.Of(matrix), dx, weight, adds: true);
        }
    }

    /// <summary>y += weight · scale · productScale ∘ B·(rankScale ∘ A·x).</summary>
    private void LowRank(LinearEdit edit, PackedMatrix a, PackedMatrix b, LinearEditGradient? gradient, float weight, Rows x, Rows dy, Rows dx)
    {
        float factor = weight * edit.Scale;
        Rows down = Product(a, x);
        Rows scaled = Scaled(down, edit.RankScale);
        if (gradient?.B is { } dB)
        {
            // Its transpose, because that reads dy, the largest of the three, as it lies.
            Rows transposed = scratch.Rent(b.Inputs, b.Outputs);
            Gemm.Run(pool, GemmOperand.Transposed(scaled), GemmOperand.Of(dy), transposed, factor);
            AddTransposed(transposed, dB.Rows);
        }

        if (gradient?.ProductScale is { } dProductScale)
        {
            AddProductSums(dy, Product(b, scaled), factor, dProductScale.Pointer);
        }

        Rows dScaled = scratch.Rent(x.Count, a.Outputs);
        Gemm.Run(pool, GemmOperand.Of(Scaled(dy, edit.ProductScale)), GemmOperand.Of(b), dScaled, factor);
        if (gradient?.RankScale is { } dRankScale)
        {
            AddProductSums(dScaled, down, 1, dRankScale.Pointer);
        }

        Rows dDown = Scaled(dScaled, edit.RankScale);
        Pair(a, gradient?.A, 1, x, dDown, dx);
    }

    /// <summary>Where some adapter scales the map's input, x′ = x + weight · gain ∘ x, or rotates it.</summary>
    private void ThroughChangedInput(
        LinearWeights map, Rows x, Rows dy, Rows dx, ReadOnlySpan<EditRun> runs, IReadOnlyDictionary<ResidentAdapter, EditGradients> trained)
    {
        Rows dInput = scratch.Rent(x.Count, x.Width);
        ThroughWeights(map, dy, dInput, runs, adds: false);
        foreach (EditRun run in runs)
        {
            if (run.Edits.At(map.Site) is { ChangesInput: true, InputGain: 0 } rotated)
            {
                LinearEditGradient? gradient = trained.GetValueOrDefault(run.Adapter)?.At(map.Site);
                new RotationBackward(pool, scratch).Run(
                    rotated.Rotation, gradient?.Rotation, run.Weight, x.Slice(run.FirstRow, run.RowCount), dInput.Slice(run.FirstRow, run.RowCount));
            }
            else if (run.Edits.At(map.Site) is { InputGain: not 0 } edit)
            {
                Rows dInputOfRun = dInput.Slice(run.FirstRow, run.RowCount);
                if (trained.TryGetValue(run.Adapter, out EditGradients? gradients) && gradients.At(map.Site)?.InputGain is { } gain)
                {
                    AddProductSums(dInputOfRun, x.Slice(run.FirstRow, run.RowCount), run.Weight, gain.Pointer);
                }

                for (int t = 0; t < dInputOfRun.Count; t++)
                {
                    RowArithmetic.AddProduct((float*)edit.InputGain, run.Weight, dInputOfRun[t], x.Width);
                }
            }
        }

        for (int t = 0; t < dx.Count; t++)
        {
            RowArithmetic.Add(dInput[t], dx[t], x.Width);
        }
    }

    /// <summary>W's product of the changed input: what the output gain multiplies or the output rotation turns.</summary>
    private Rows Product(LinearWeights map, LinearEdit edit, float weight, Rows x)
    {
        Rows input = x;
        if (edit.InputGain != 0)
        {
            input = scratch.Copy(x);
            for (int t = 0; t < input.Count; t++)
            {
                RowArithmetic.AddProduct((float*)edit.InputGain, weight, input[t], input.Width);
            }
        }

        if (!edit.Rotation.IsEmpty)
        {
            input = scratch.Copy(x);
            Rows spare = scratch.Rent(x.Count, RowRotation.SpareWidths * x.Width);
            for (int t = 0; t < input.Count; t++)
            {
                RowRotation.Apply(edit, weight, input[t], input.Width, spare[t]);
            }
        }

        return Product(map.Matrix, input);
    }

    private Rows Product(PackedMatrix matrix, Rows x)
    {
        Rows product = scratch.Rent(x.Count, matrix.Outputs);
        RowLoop.Run(pool, x.Count, (long)x.Count * x.Width * product.Width, new ProductKernel(matrix, x, product));
        return product;
    }

    private readonly struct ProductKernel(PackedMatrix matrix, Rows x, Rows y) : IRowKernel
    {
        public void Run(int first, int end) => MatMul.RunSerial(matrix, x.Slice(first, end - first), y.Slice(first, end - first));
    }

    /// <summary>Rows with each column multiplied; the rows themselves where there are no factors.</summary>
    private Rows Scaled(Rows rows, nint factors)
    {
        if (factors == 0)
        {
            return rows;
        }

        Rows scaled = scratch.Rent(rows.Count, rows.Width);
        for (int t = 0; t < rows.Count; t++)
        {
            for (int i = 0; i < rows.Width; i++)
            {
                scaled[t][i] = rows[t][i] * ((float*)factors)[i];
            }
        }

        return scaled;
    }

    private static void AddTransposed(Rows from, Rows to)
    {
        for (int row = 0; row < to.Count; row++)
        {
            for (int i = 0; i < to.Width; i++)
            {
                to[row][i] += from[i][row];
            }
        }
    }

    private Rows Columns(Rows rows, ReadOnlySpan<int> columns)
    {
        Rows picked = scratch.Rent(rows.Count, columns.Length);
        for (int t = 0; t < rows.Count; t++)
        {
            for (int i = 0; i < columns.Length; i++)
            {
                picked[t][i] = rows[t][columns[i]];
            }
        }

        return picked;
    }

    /// <summary>sums += factor · Σ over rows.</summary>
    internal static void AddColumnSums(Rows rows, float factor, float* sums)
    {
        for (int t = 0; t < rows.Count; t++)
        {
            RowArithmetic.AddScaled(rows[t], factor, sums, rows.Width);
        }
    }

    /// <summary>sums += factor · Σ over rows of a∘b.</summary>
    internal static void AddProductSums(Rows a, Rows b, float factor, float* sums)
    {
        for (int t = 0; t < a.Count; t++)
        {
            for (int i = 0; i < a.Width; i++)
            {
                sums[i] += factor * a[t][i] * b[t][i];
            }
        }
    }
}
