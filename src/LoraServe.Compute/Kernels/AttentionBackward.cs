using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels;

/// <summary>Gradients of causal attention for one sequence and one key/value head with the query heads that share it, on one thread.</summary>
/// <remarks>
/// Blocks of positions: the block's scores against all keys that it sees are computed again, then, with P = softmax(S) and
/// dP = dO·Vᵀ, dS = P∘(dP − rowsum(P∘dP)); dV += Pᵀ·dO, dQ += dS·K, dK += dSᵀ·Q. The query heads of a block are stacked, so that
/// keys and values are brought into the multipliers' order once for all of them.
/// </remarks>
public static unsafe class AttentionBackward
{
    // Stacked rows of a block: enough to keep the multipliers busy, few enough that little beyond the diagonal is computed.
    private const int PreferredRows = 96;
    private const int LeastPositions = 8;
    private const int MostPositions = 64;

    /// <summary>Floats of scratch that <see cref="Run"/> takes.</summary>
    /// <param name="positions">Positions of the sequence, T.</param>
    /// <param name="queryHeads">Query heads that share the key/value head.</param>
    /// <param name="headSize">Elements of a head, K.</param>
    /// <param name="window">As in <see cref="Run"/>.</param>
    /// <param name="isBounded">Whether scores are bounded.</param>
    public static long FloatsNeeded(int positions, int queryHeads, int headSize, int window, bool isBounded = false)
    {
        int rows = PositionsAtATime(queryHeads) * queryHeads;
        return (long)rows * (((isBounded ? 3L : 2L) * MostKeys(positions, queryHeads, window)) + (3 * headSize));
    }

    /// <summary>Adds to the gradients of queries, keys and values.</summary>
    /// <param name="q">Rotated queries, [T, heads · K], the heads that share this key/value head side by side.</param>
    /// <param name="k">Rotated keys, [T, K].</param>
    /// <param name="v">Values, [T, K].</param>
    /// <param name="dOut">Gradient of attention's result, [T, heads · K].</param>
    /// <param name="dQ">[T, heads · K], added to.</param>
    /// <param name="dK">[T, K], added to.</param>
    /// <param name="dV">[T, K], added to.</param>
    /// <param name="scale">What scores are multiplied by.</param>
    /// <param name="window">Position i sees j ≤ i with i − j &lt; window; 0 for all.</param>
    /// <param name="scratch"><see cref="FloatsNeeded"/> floats.</param>
    /// <param name="cap">Bound of scores, as <see cref="AttentionTile"/> has it; 0 for none.</param>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public static void Run(Rows q, Rows k, Rows v, Rows dOut, Rows dQ, Rows dK, Rows dV, float scale, int window, float* scratch, float cap = 0)
    {
        (int positions, int headSize) = (k.Count, k.Width);
        if (headSize == 0 || q.Width % headSize != 0 || dOut.Width != q.Width || dQ.Width != q.Width || v.Width != headSize || dK.Width != headSize || dV.Width != headSize
            || q.Count != positions || v.Count != positions || dOut.Count != positions || dQ.Count != positions || dK.Count != positions || dV.Count != positions)
        {
            throw new ArgumentException($"queries [{q.Count}, {q.Width}], keys [{k.Count}, {k.Width}], values [{v.Count}, {v.Width}] and their gradients do not fit", nameof(q));
        }

        int heads = q.Width / headSize;
        int most = PositionsAtATime(heads);
        int stride = MostKeys(positions, heads, window);
        var queries = new Rows((nint)scratch, most * heads, headSize, headSize);
        var gradients = queries with { Pointer = (nint)queries[queries.Count] };
        var dQueries = queries with { Pointer = (nint)gradients[queries.Count] };
        var weights = new Rows((nint)dQueries[queries.Count], most * heads, stride, stride);
        var dWeights = weights with { Pointer = (nint)weights[weights.Count] };
        var slopes = dWeights with { Pointer = (nint)dWeights[dWeights.Count] };
        for (int first = 0; first < positions; first += most)
        {
            int count = Math.Min(most, positions - first);
            int firstKey = window > 0 ? Math.Max(0, first - window + 1) : 0;
            int keys = first + count - firstKey;
            Rows stackedQueries = Stack(q.Slice(first, count), queries, heads);
            Rows stackedGradients = Stack(dOut.Slice(first, count), gradients, heads);
            Rows p = weights.Slice(0, heads * count).Columns(0, keys);
            Rows dS = dWeights.Slice(0, heads * count).Columns(0, keys);
            Rows seenKeys = k.Slice(firstKey, keys);
            Gemm.RunSerial(GemmOperand.Of(stackedQueries), GemmOperand.Transposed(seenKeys), p, scale);
            Gemm.RunSerial(GemmOperand.Of(stackedGradients), GemmOperand.Transposed(v.Slice(firstKey, keys)), dS);
            for (int row = 0; row < p.Count; row++)
            {
                int last = first + (row % count) - firstKey;
                if (cap > 0)
                {
                    Bound(p[row], slopes[row], cap, keys);
                }

                ScoresToWeights(p[row], window > 0 ? Math.Max(0, last - window + 1) : 0, last, keys);
                WeightsToScoreGradients(p[row], dS[row], scale, keys);
                if (cap > 0)
                {
                    RowArithmetic.Multiply(slopes[row], dS[row], keys);
                }
            }

            Gemm.RunSerial(GemmOperand.Transposed(p), GemmOperand.Of(stackedGradients), dV.Slice(firstKey, keys), adds: true);
            Gemm.RunSerial(GemmOperand.Transposed(dS), GemmOperand.Of(stackedQueries), dK.Slice(firstKey, keys), adds: true);
            Rows stackedResult = dQueries.Slice(0, heads * count);
            Gemm.RunSerial(GemmOperand.Of(dS), GemmOperand.Of(seenKeys), stackedResult);
            AddUnstacked(stackedResult, dQ.Slice(first, count), heads);
        }
    }

    private static int PositionsAtATime(int queryHeads) => Math.Clamp(PreferredRows / queryHeads, LeastPositions, MostPositions);

    // Rounded up to whole vectors, which may be written beyond the keys.
    private static int MostKeys(int positions, int queryHeads, int window) =>
        VectorMath.RoundUp(window > 0 ? (int)Math.Min(positions, (long)window + PositionsAtATime(queryHeads)) : positions);

    // Row head · T + t of the stack is a head of row t.
    private static Rows Stack(Rows rows, Rows stack, int heads)
    {
        for (int row = 0; row < heads * rows.Count; row++)
        {
            (int head, int t) = Math.DivRem(row, rows.Count);
            rows.Span(t).Slice(head * stack.Width, stack.Width).CopyTo(stack.Span(row));
        }

        return stack.Slice(0, heads * rows.Count);
    }

    private static void AddUnstacked(Rows stack, Rows rows, int heads)
    {
        for (int row = 0; row < heads * rows.Count; row++)
        {
            (int head, int t) = Math.DivRem(row, rows.Count);
            RowArithmetic.Add(stack[row], rows[t] + (head * stack.Width), stack.Width);
        }
    }

    // Scores become c·tanh(score / c), of which slopes gets the derivative.
    private static void Bound(float* scores, float* slopes, float cap, int keys)
    {
        for (int i = 0; i < keys; i++)
        {
            float share = MathF.Tanh(scores[i] / cap);
            (scores[i], slopes[i]) = (cap * share, 1 - (share * share));
        }
    }

    // Softmax over [first, last]; everything else of the row, up to a whole vector, becomes 0.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScoresToWeights(float* row, int first, int last, int keys)
    {
        int padded = VectorMath.RoundUp(keys);
        new Span<float>(row, first).Fill(float.NegativeInfinity);
        new Span<float>(row + last + 1, padded - last - 1).Fill(float.NegativeInfinity);
        Vector256<float> largest = Vector256.Load(row);
        for (int i = VectorMath.Lanes; i < padded; i += VectorMath.Lanes)
        {
            largest = Vector256.MaxNative(largest, Vector256.Load(row + i));
        }

        Vector256<float> maximum = Vector256.Create(VectorMath.Max(largest));
        Vector256<float> sum = Vector256<float>.Zero;
        for (int i = 0; i < padded; i += VectorMath.Lanes)
        {
            Vector256<float> weight = VectorMath.Exp(Vector256.Load(row + i) - maximum);
            sum += weight;
            Vector256.Store(weight, row + i);
        }

        Vector256<float> inverse = Vector256.Create(1 / VectorMath.Sum(sum));
        for (int i = 0; i < padded; i += VectorMath.Lanes)
        {
            Vector256.Store(Vector256.Load(row + i) * inverse, row + i);
        }
    }

    // dS = scale · P∘(dP − Σ P∘dP), in the place of dP.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeightsToScoreGradients(float* weights, float* gradients, float scale, int keys)
    {
        int padded = VectorMath.RoundUp(keys);
        new Span<float>(gradients + keys, padded - keys).Clear();
        Vector256<float> sum = Vector256<float>.Zero;
        for (int i = 0; i < padded; i += VectorMath.Lanes)
        {
            sum = VectorMath.MultiplyAdd(Vector256.Load(weights + i), Vector256.Load(gradients + i), sum);
        }

        Vector256<float> mean = Vector256.Create(VectorMath.Sum(sum));
        Vector256<float> scales = Vector256.Create(scale);
        for (int i = 0; i < padded; i += VectorMath.Lanes)
        {
            Vector256.Store(Vector256.Load(weights + i) * scales * (Vector256.Load(gradients + i) - mean), gradients + i);
        }
    }
}
