using System.Numerics.Tensors;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Forward;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Backward;

/// <summary>The head and the cross entropy of labelled rows, forth and back, a part of the rows at a time: logits of all would outweigh everything else.</summary>
internal sealed class HeadLoss(TransformerSpec spec, EagerOps eager, TapeOps tape, WorkerPool pool)
{
    private const long MostLogitBytes = 64 << 20;
    private readonly RowGroup _part = new();

    // Depends on the model alone, so that sums over rows are cut at the same places whatever else is in the batch.
    private readonly int _rowsAtATime = (int)Math.Clamp(MostLogitBytes / sizeof(float) / spec.VocabularySize, 16, 1024);

    /// <summary>Computes losses and, where wanted, the derivative by what the head reads and by its edits.</summary>
    /// <param name="input">What the head reads, [rows of <see cref="TokenBatch.Logits"/>, D].</param>
    /// <param name="batch">The batch; its logits' rows are the labelled ones.</param>
    /// <param name="first">First labelled row of one adapter.</param>
    /// <param name="targets">The rows' next tokens.</param>
    /// <param name="coefficients">The rows' factors in the loss; null where only losses are wanted.</param>
    /// <param name="smoothing">Label smoothing.</param>
    /// <param name="losses">−log p of each row's target, smoothed.</param>
    /// <param name="hits">Whether each row's target is the likeliest token; empty where that is not wanted.</param>
    public void Run(TapeValue input, TokenBatch batch, int first, int[] targets, float[]? coefficients, float smoothing, float[] losses, bool[] hits)
    {
        bool backward = coefficients is not null && input.NeedsGradient;
        if (backward && !input.HasGradient)
        {
            input.Gradient = tape.RentGradient(input.Rows.Count, input.Rows.Width);
        }

        for (int done = 0; done < targets.Length; done += _rowsAtATime)
        {
            int count = Math.Min(_rowsAtATime, targets.Length - done);
            _part.CopyRange(batch.Logits, first + done, count);
            long mark = eager.Scratch.Mark();
            Rows x = input.Rows.Slice(first + done, count);
            Rows logits = eager.Head(x, _part);
            for (int t = 0; t < Math.Min(count, hits.Length); t++)
            {
                hits[done + t] = TensorPrimitives.IndexOfMax<float>(logits.Span(t)) == targets[done + t];
            }

            Rows? bounded = spec.LogitCap > 0 && coefficients is not null ? eager.Scratch.Copy(logits) : null;
            CrossEntropy.Run(
                pool,
                logits,
                targets.AsSpan(done, count),
                coefficients is null ? default : coefficients.AsSpan(done, count),
                smoothing,
                losses.AsSpan(done, count),
                wantsGradient: coefficients is not null);
            if (coefficients is not null)
            {
                Rows dx = backward ? input.Gradient.Slice(first + done, count) : default;
                tape.HeadBackward(x, bounded, logits, dx, _part);
            }

            eager.Scratch.Release(mark);
        }
    }
}
