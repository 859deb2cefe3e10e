using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Forward;
using LoraServe.Cpu.Resident;
using LoraServe.Models.Forward;

namespace LoraServe.Cpu.Backward;

/// <summary>The way back through what adapters add after a sublayer; the formula is that of <see cref="BottleneckEdit"/>.</summary>
internal sealed unsafe class BottleneckBackward(WorkerPool pool, ScratchArena scratch)
{
    /// <summary>Takes the derivative by the residual stream after a sublayer back to the sublayer's result and to the stream before it.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="place">After which sublayer.</param>
    /// <param name="residual">The stream before the sublayer, [T, D].</param>
    /// <param name="sublayer">The sublayer's result, [T, D].</param>
    /// <param name="dSublayer">Derivative by the sublayer's result: comes as that by the new stream, is added to.</param>
    /// <param name="dResidual">Derivative by the stream before: comes as that by the new stream, is added to; no rows where it is not wanted.</param>
    /// <param name="runs">The adapters that act on the rows.</param>
    /// <param name="trained">Where derivatives by edits go, for the adapters that are trained.</param>
    public void Run(
        int layer,
        BottleneckPlace place,
        Rows residual,
        Rows sublayer,
        Rows dSublayer,
        Rows dResidual,
        ReadOnlySpan<EditRun> runs,
        IReadOnlyDictionary<ResidentAdapter, EditGradients> trained)
    {
        foreach (EditRun run in runs)
        {
            if (run.Edits.At(layer, place) is { } edit)
            {
                BottleneckGradient? gradient = trained.TryGetValue(run.Adapter, out EditGradients? gradients) ? gradients.At(layer, place) : null;
                Run(edit, gradient, run.Weight, Part(residual, run), Part(sublayer, run), Part(dSublayer, run), Part(dResidual, run));
            }
        }
    }

    private void Run(BottleneckEdit edit, BottleneckGradient? gradient, float weight, Rows residual, Rows sublayer, Rows dSublayer, Rows dResidual)
    {
        long mark = scratch.Mark();
        Rows input = Input(edit.Input, residual, sublayer);
        Rows narrow = Multiply(edit.Down, input, (float*)edit.DownBias);
        Rows active = scratch.Copy(narrow);
        Activations.Run(edit.Activation, active);

        // dSublayer is still the derivative by the new stream here.
        Rows dUp = scratch.Rent(dSublayer.Count, dSublayer.Width);
        for (int t = 0; t < dUp.Count; t++)
        {
            for (int i = 0; i < dUp.Width; i++)
            {
                dUp[t][i] = weight * ((float*)edit.Scale)[i] * dSublayer[t][i];
            }
        }

        Rows dNarrow = scratch.Rent(narrow.Count, narrow.Width);
        Gemm.Run(pool, GemmOperand.Of(dUp), GemmOperand.Of(edit.Up), dNarrow);
        Activations.Backward(edit.Activation, narrow, dNarrow);
        if (gradient is not null)
        {
            Rows up = Multiply(edit.Up, active, (float*)edit.UpBias);
            LinearBackward.AddProductSums(dSublayer, up, weight, gradient.Scale.Pointer);
            LinearBackward.AddColumnSums(dUp, 1, gradient.UpBias.Pointer);
            Gemm.Run(pool, GemmOperand.Transposed(dUp), GemmOperand.Of(active), gradient.Up.Rows, adds: true);
            LinearBackward.AddColumnSums(dNarrow, 1, gradient.DownBias.Pointer);
            Gemm.Run(pool, GemmOperand.Transposed(dNarrow), GemmOperand.Of(input), gradient.Down.Rows, adds: true);
        }

        if (edit.Input != BottleneckInput.Residual)
        {
            Gemm.Run(pool, GemmOperand.Of(dNarrow), GemmOperand.Of(edit.Down), dSublayer, adds: true);
        }

        if (edit.Input != BottleneckInput.Sublayer && dResidual.Count > 0)
        {
            Gemm.Run(pool, GemmOperand.Of(dNarrow), GemmOperand.Of(edit.Down), dResidual, adds: true);
        }

        scratch.Release(mark);
    }

    private Rows Input(BottleneckInput kind, Rows residual, Rows sublayer)
    {
        if (kind != BottleneckInput.Sum)
        {
            return kind == BottleneckInput.Sublayer ? sublayer : residual;
        }

        Rows sum = scratch.Copy(residual);
        for (int t = 0; t < sum.Count; t++)
        {
            RowArithmetic.Add(sublayer[t], sum[t], sum.Width);
        }

        return sum;
    }

    private Rows Multiply(Compute.Matrices.PackedMatrix matrix, Rows x, float* bias)
    {
        Rows y = scratch.Rent(x.Count, matrix.Outputs);
        MatMul.RunSerial(matrix, x, y);
        for (int t = 0; t < y.Count; t++)
        {
            RowArithmetic.Add(bias, y[t], y.Width);
        }

        return y;
    }

    private static Rows Part(Rows rows, in EditRun run) => rows.Count > 0 ? rows.Slice(run.FirstRow, run.RowCount) : rows;
}
