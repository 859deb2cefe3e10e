using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Vectors;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Kernels;

/// <summary>The loss of logits against target tokens, and its gradient.</summary>
public static unsafe class CrossEntropy
{
    // Sums are float32 within a stretch and double over stretches, so that a large vocabulary costs no accuracy.
    private const int Stretch = 128 * VectorMath.Lanes;

    /// <summary>losses[t] = (1 − smoothing) · −log p(target) + smoothing · mean over the vocabulary of −log p; p = softmax(logits[t]).</summary>
    /// <remarks>Without smoothing a loss is the target's negative log-probability. A row whose target is negative has loss and gradient 0.</remarks>
    /// <param name="pool">The workers that share the rows.</param>
    /// <param name="logits">[T, V]; with <paramref name="wantsGradient"/> they become the gradient of Σ coefficient · loss.</param>
    /// <param name="targets">A token of each row, below V.</param>
    /// <param name="coefficients">Of each row's loss in the sum that the gradient is of; not read without <paramref name="wantsGradient"/>.</param>
    /// <param name="smoothing">Share of the target distribution that is spread over the vocabulary, 0 for none.</param>
    /// <param name="losses">[T], not multiplied by the coefficients.</param>
    /// <param name="wantsGradient">Whether the logits are replaced.</param>
    /// <exception cref="ArgumentException">A span is shorter than the rows, or a target is not below V.</exception>
    public static void Run(WorkerPool pool, Rows logits, ReadOnlySpan<int> targets, ReadOnlySpan<float> coefficients, float smoothing, Span<float> losses, bool wantsGradient)
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (targets.Length != logits.Count || losses.Length != logits.Count || (wantsGradient && coefficients.Length != logits.Count))
        {
            throw new ArgumentException($"{logits.Count} rows do not fit {targets.Length} targets, {coefficients.Length} coefficients and {losses.Length} losses", nameof(targets));
        }

        foreach (int target in targets)
        {
            if (target >= logits.Width)
            {
                throw new ArgumentException($"target {target} is not below the vocabulary's {logits.Width}", nameof(targets));
            }
        }

        int next = 0;
        var job = new Job(logits, targets, coefficients, smoothing, losses, wantsGradient, &next);
        pool.Run(ref job);
    }

    private static float RunRow(float* x, int width, int target, float coefficient, float smoothing, bool wantsGradient)
    {
        float maximum = Maximum(x, width);
        double mean = smoothing == 0 ? 0 : Sum(x, width) / width;
        float targetLogit = x[target];
        double sum = SumOfExponentials(x, width, maximum, wantsGradient);
        if (wantsGradient)
        {
            ScaleAndShift(x, width, (float)(coefficient / sum), -coefficient * smoothing / width);
            x[target] -= coefficient * (1 - smoothing);
        }

        return (float)(maximum + Math.Log(sum) - ((1.0 - smoothing) * targetLogit) - (smoothing * mean));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Maximum(float* x, int width)
    {
        Vector256<float> largest = Vector256.Create(float.NegativeInfinity);
        int i = 0;
        for (; i <= width - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            largest = Vector256.MaxNative(largest, Vector256.Load(x + i));
        }

        float maximum = VectorMath.Max(largest);
        for (; i < width; i++)
        {
            maximum = Math.Max(maximum, x[i]);
        }

        return maximum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Sum(float* x, int width)
    {
        double total = 0;
        for (int start = 0; start < width; start += Stretch)
        {
            int end = Math.Min(start + Stretch, width);
            Vector256<float> sum = Vector256<float>.Zero;
            int i = start;
            for (; i <= end - VectorMath.Lanes; i += VectorMath.Lanes)
            {
                sum += Vector256.Load(x + i);
            }

            total += VectorMath.Sum(sum);
            for (; i < end; i++)
            {
                total += x[i];
            }
        }

        return total;
    }

    // Σ e^(x − maximum); the terms take x's place where they are kept.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SumOfExponentials(float* x, int width, float maximum, bool keeps)
    {
        float* rest = stackalloc float[VectorMath.Lanes];
        Vector256<float> shift = Vector256.Create(maximum);
        double total = 0;
        for (int start = 0; start < width; start += Stretch)
        {
            int end = Math.Min(start + Stretch, width);
            Vector256<float> sum = Vector256<float>.Zero;
            int i = start;
            for (; i <= end - VectorMath.Lanes; i += VectorMath.Lanes)
            {
                Vector256<float> term = VectorMath.Exp(Vector256.Load(x + i) - shift);
                sum += term;
                if (keeps)
                {
                    Vector256.Store(term, x + i);
                }
            }

            if (i < end)
            {
                new Span<float>(rest, VectorMath.Lanes).Fill(float.NegativeInfinity);
                new Span<float>(x + i, end - i).CopyTo(new Span<float>(rest, VectorMath.Lanes));
                Vector256<float> term = VectorMath.Exp(Vector256.Load(rest) - shift);
                sum += term;
                if (keeps)
                {
                    Vector256.Store(term, rest);
                    new Span<float>(rest, end - i).CopyTo(new Span<float>(x + i, end - i));
                }
            }

            total += VectorMath.Sum(sum);
        }

        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScaleAndShift(float* x, int width, float scale, float shift)
    {
        Vector256<float> scales = Vector256.Create(scale);
        Vector256<float> shifts = Vector256.Create(shift);
        int i = 0;
        for (; i <= width - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256.Store((Vector256.Load(x + i) * scales) + shifts, x + i);
        }

        for (; i < width; i++)
        {
            x[i] = (x[i] * scale) + shift;
        }
    }

    // Rows are claimed one by one: those without a target cost nothing.
    private readonly ref struct Job(Rows logits, ReadOnlySpan<int> targets, ReadOnlySpan<float> coefficients, float smoothing, Span<float> losses, bool wantsGradient, int* next) : IParallelJob
    {
        private readonly ReadOnlySpan<int> _targets = targets;
        private readonly ReadOnlySpan<float> _coefficients = coefficients;
        private readonly Span<float> _losses = losses;

        public void Run(int worker, int workerCount)
        {
            for (int row; (row = Interlocked.Increment(ref *next) - 1) < _targets.Length;)
            {
                if (_targets[row] >= 0)
                {
                    _losses[row] = RunRow(logits[row], logits.Width, _targets[row], wantsGradient ? _coefficients[row] : 0, smoothing, wantsGradient);
                    continue;
                }

                _losses[row] = 0;
                if (wantsGradient)
                {
                    logits.Span(row).Clear();
                }
            }
        }
    }
}
