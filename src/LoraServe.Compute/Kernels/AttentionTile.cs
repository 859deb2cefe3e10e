using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels;

/// <summary>
/// Attention of a few query vectors that share one key/value head, over blocks of 16 positions: online softmax, in float32.
/// </summary>
/// <remarks>
/// Blocks are taken in ascending order at absolute positions, and what a query's result depends on is that query and the
/// positions that it sees: the same bits whichever queries share the tile. A block that a query does not see changes nothing
/// of it (its weights are 0 and its correction is 1).
/// <para>
/// Positions fall into ranges of <see cref="RangePositions"/>. Each range is summed up by itself and then added to a query's
/// total, in ascending order; so ranges may be computed apart from each other and still give the same bits.
/// </para>
/// <para>
/// Keys come transposed, [K, 16], and values as [16, padded K], so that both products are rows of broadcast elements times
/// 16 lanes and no sum runs across lanes.
/// </para>
/// </remarks>
public readonly unsafe struct AttentionTile
{
    /// <summary>Positions in a block.</summary>
    public const int BlockPositions = 16;

    /// <summary>Positions in a range.</summary>
    public const int RangePositions = 256;

    // Elements of a saved range or a total after the sums of values: the maximum, the sum, and what keeps rows aligned.
    private const int StateTail = 8;

    /// <summary>Query vectors that a tile should have where there are as many: enough to reuse a block, few enough for the first-level cache.</summary>
    public const int PreferredQueries = 48;

    private readonly int _headSize;
    private readonly int _paddedHeadSize;
    private readonly float _cap;
    private readonly float* _queries;     // [M, K], scaled
    private readonly float* _outputs;     // [M, padded K], not yet divided by the sums
    private readonly float* _weights;     // [M, 16]
    private readonly float* _maxima;      // [M]
    private readonly float* _sums;        // [M]
    private readonly float* _corrections; // [M]
    private readonly float* _totals;      // [M, padded K + tail], over the ranges that have ended
    private readonly int* _positions;     // [M]

    /// <summary>Lays a tile out in memory that the caller lends.</summary>
    /// <param name="memory"><see cref="FloatsNeeded"/> floats, aligned to 32 bytes.</param>
    /// <param name="capacity">Most query vectors.</param>
    /// <param name="headSize">Elements of a head, K.</param>
    /// <param name="cap">Bound c of scores, which become c·tanh(score / c); 0 for none.</param>
    public AttentionTile(float* memory, int capacity, int headSize, float cap = 0)
    {
        _cap = cap;
        _headSize = headSize;
        _paddedHeadSize = PaddedHeadSize(headSize);
        _outputs = memory;
        _queries = _outputs + (capacity * _paddedHeadSize);
        _weights = _queries + (capacity * _paddedHeadSize);
        _maxima = _weights + (capacity * BlockPositions);
        _sums = _maxima + capacity;
        _corrections = _sums + capacity;
        _totals = _corrections + capacity;
        _positions = (int*)(_totals + (capacity * StateFloats(headSize)));
    }

    /// <summary>A head's elements rounded up to whole groups of 16 lanes: the stride of a block's values.</summary>
    public static int PaddedHeadSize(int headSize) => (headSize + 15) & -16;

    /// <summary>Floats of memory that a tile takes.</summary>
    public static int FloatsNeeded(int capacity, int headSize) => capacity * ((2 * PaddedHeadSize(headSize)) + StateFloats(headSize) + BlockPositions + 4);

    /// <summary>Floats that <see cref="SaveRange"/> writes.</summary>
    public static int StateFloats(int headSize) => PaddedHeadSize(headSize) + StateTail;

    /// <summary>Puts a query vector into the tile.</summary>
    /// <param name="index">Its place.</param>
    /// <param name="query">K elements.</param>
    /// <param name="scale">What its scores are multiplied by.</param>
    /// <param name="position">Its position: it sees positions up to its own.</param>
    public void SetQuery(int index, float* query, float scale, int position)
    {
        RowArithmetic.Multiply(query, scale, _queries + (index * _headSize), _headSize);
        _positions[index] = position;
        Clear(index);
    }

    /// <summary>Forgets all positions that a query has seen.</summary>
    public void Clear(int index)
    {
        float* total = Total(index);
        new Span<float>(total, _paddedHeadSize).Clear();
        total[_paddedHeadSize] = float.NegativeInfinity;
        total[_paddedHeadSize + 1] = 0;
        BeginRange(index);
    }

    /// <summary>Takes one block into account, of the same range as the block before unless <see cref="EndRange"/> came between.</summary>
    /// <param name="count">Number of query vectors in the tile.</param>
    /// <param name="firstPosition">Position of the block's first key.</param>
    /// <param name="filled">Positions of the block that hold a key; what lies beyond is never read as a number that counts.</param>
    /// <param name="window">A query at position i sees j with i − j &lt; window; 0 for all.</param>
    /// <param name="keys">[K, 16].</param>
    /// <param name="values">[16, padded K].</param>
    public void AddBlock(int count, int firstPosition, int filled, int window, float* keys, float* values)
    {
        Multiply(_queries, _headSize, _headSize, keys, BlockPositions, _weights, BlockPositions, null, count);
        for (int m = 0; m < count; m++)
        {
            ScoresToWeights(m, firstPosition, window);
        }

        for (int d = 0; d < _paddedHeadSize; d += BlockPositions)
        {
            Multiply(_weights, BlockPositions, filled, values + d, _paddedHeadSize, _outputs + d, _paddedHeadSize, _corrections, count);
        }
    }

    /// <summary>Adds what the first <paramref name="count"/> queries have seen since the last range to their totals.</summary>
    public void EndRange(int count)
    {
        for (int i = 0; i < count; i++)
        {
            AddToTotal(i, _outputs + (i * _paddedHeadSize), _maxima[i], _sums[i]);
            BeginRange(i);
        }
    }

    /// <summary>Writes what a query has seen since the last range to <paramref name="state"/>, for <see cref="AddRange"/>.</summary>
    public void SaveRange(int index, float* state)
    {
        new Span<float>(_outputs + (index * _paddedHeadSize), _paddedHeadSize).CopyTo(new Span<float>(state, _paddedHeadSize));
        state[_paddedHeadSize] = _maxima[index];
        state[_paddedHeadSize + 1] = _sums[index];
    }

    /// <summary>Adds a range that was computed elsewhere to a query's total.</summary>
    public void AddRange(int index, float* state) => AddToTotal(index, state, state[_paddedHeadSize], state[_paddedHeadSize + 1]);

    /// <summary>Writes the result of one query vector, over the ranges that have ended.</summary>
    /// <param name="index">Its place.</param>
    /// <param name="result">K elements.</param>
    public void Finish(int index, float* result) =>
        RowArithmetic.Multiply(Total(index), 1f / Total(index)[_paddedHeadSize + 1], result, _headSize);

    private float* Total(int index) => _totals + (index * (_paddedHeadSize + StateTail));

    private void BeginRange(int index)
    {
        new Span<float>(_outputs + (index * _paddedHeadSize), _paddedHeadSize).Clear();
        _maxima[index] = float.NegativeInfinity;
        _sums[index] = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddToTotal(int index, float* outputs, float maximum, float sum)
    {
        // A range of which the query has seen nothing.
        if (float.IsNegativeInfinity(maximum))
        {
            return;
        }

        float* total = Total(index);
        float before = total[_paddedHeadSize];
        float after = maximum > before ? maximum : before;
        Vector256<float> oldFactor = VectorMath.Exp(Vector256.Create(before - after));
        Vector256<float> newFactor = VectorMath.Exp(Vector256.Create(maximum - after));
        for (int d = 0; d < _paddedHeadSize; d += VectorMath.Lanes)
        {
            Vector256.Store(VectorMath.MultiplyAdd(Vector256.Load(outputs + d), newFactor, Vector256.Load(total + d) * oldFactor), total + d);
        }

        total[_paddedHeadSize] = after;
        total[_paddedHeadSize + 1] = (total[_paddedHeadSize + 1] * oldFactor[0]) + (sum * newFactor[0]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ScoresToWeights(int m, int firstPosition, int window)
    {
        float* weights = _weights + (m * BlockPositions);
        int position = _positions[m];
        int last = position - firstPosition;
        int first = window > 0 ? last - window + 1 : 0;
        Vector256<float> low = Visible(Bounded(Vector256.Load(weights)), Vector256<int>.Indices, first, last);
        Vector256<float> high = Visible(Bounded(Vector256.Load(weights + 8)), Vector256<int>.Indices + Vector256.Create(8), first, last);

        float before = _maxima[m];
        float maximum = VectorMath.Max(Vector256.MaxNative(low, high));
        maximum = maximum > before ? maximum : before;
        if (float.IsNegativeInfinity(maximum))
        {
            Vector256.Store(Vector256<float>.Zero, weights);
            Vector256.Store(Vector256<float>.Zero, weights + 8);
            _corrections[m] = 1;
            return;
        }

        float correction = maximum == before ? 1 : VectorMath.Exp(Vector256.Create(before - maximum))[0];
        low = VectorMath.Exp(low - Vector256.Create(maximum));
        high = VectorMath.Exp(high - Vector256.Create(maximum));
        Vector256.Store(low, weights);
        Vector256.Store(high, weights + 8);
        _maxima[m] = maximum;
        _corrections[m] = correction;
        _sums[m] = (_sums[m] * correction) + VectorMath.Sum(low + high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<float> Bounded(Vector256<float> scores) => _cap > 0 ? VectorMath.Tanh(scores / Vector256.Create(_cap)) * Vector256.Create(_cap) : scores;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Visible(Vector256<float> scores, Vector256<int> lanes, int first, int last)
    {
        Vector256<int> hidden = Vector256.LessThan(lanes, Vector256.Create(first)) | Vector256.GreaterThan(lanes, Vector256.Create(last));
        return Vector256.ConditionalSelect(hidden.AsSingle(), Vector256.Create(float.NegativeInfinity), scores);
    }

    /// <summary>c[m, 0…15] = c·scales[m] (0 without scales) + Σₖ a[m, k]·b[k, 0…15], in ascending k for any number of rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(float* a, int aStride, int depth, float* b, int bStride, float* c, int cStride, float* scales, int rows)
    {
        int m = 0;
        for (; m <= rows - 6; m += 6)
        {
            Multiply6(a + (m * aStride), aStride, depth, b, bStride, c + (m * cStride), cStride, scales is null ? null : scales + m);
        }

        for (; m <= rows - 3; m += 3)
        {
            Multiply3(a + (m * aStride), aStride, depth, b, bStride, c + (m * cStride), cStride, scales is null ? null : scales + m);
        }

        for (; m < rows; m++)
        {
            Multiply1(a + (m * aStride), depth, b, bStride, c + (m * cStride), scales is null ? null : scales + m);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply6(float* a, int aStride, int depth, float* b, int bStride, float* c, int cStride, float* scales)
    {
        (Vector256<float> c00, Vector256<float> c01) = Start(c, scales, 0, cStride);
        (Vector256<float> c10, Vector256<float> c11) = Start(c, scales, 1, cStride);
        (Vector256<float> c20, Vector256<float> c21) = Start(c, scales, 2, cStride);
        (Vector256<float> c30, Vector256<float> c31) = Start(c, scales, 3, cStride);
        (Vector256<float> c40, Vector256<float> c41) = Start(c, scales, 4, cStride);
        (Vector256<float> c50, Vector256<float> c51) = Start(c, scales, 5, cStride);
        float* a3 = a + (3 * aStride);
        for (int k = 0; k < depth; k++)
        {
            Vector256<float> low = Vector256.Load(b);
            Vector256<float> high = Vector256.Load(b + 8);
            Vector256<float> x = Vector256.Create(a[k]);
            c00 = VectorMath.MultiplyAdd(x, low, c00);
            c01 = VectorMath.MultiplyAdd(x, high, c01);
            x = Vector256.Create(a[k + aStride]);
            c10 = VectorMath.MultiplyAdd(x, low, c10);
            c11 = VectorMath.MultiplyAdd(x, high, c11);
            x = Vector256.Create(a[k + (2 * aStride)]);
            c20 = VectorMath.MultiplyAdd(x, low, c20);
            c21 = VectorMath.MultiplyAdd(x, high, c21);
            x = Vector256.Create(a3[k]);
            c30 = VectorMath.MultiplyAdd(x, low, c30);
            c31 = VectorMath.MultiplyAdd(x, high, c31);
            x = Vector256.Create(a3[k + aStride]);
            c40 = VectorMath.MultiplyAdd(x, low, c40);
            c41 = VectorMath.MultiplyAdd(x, high, c41);
            x = Vector256.Create(a3[k + (2 * aStride)]);
            c50 = VectorMath.MultiplyAdd(x, low, c50);
            c51 = VectorMath.MultiplyAdd(x, high, c51);
            b += bStride;
        }

        Store(c, c00, c01);
        Store(c + cStride, c10, c11);
        Store(c + (2 * cStride), c20, c21);
        Store(c + (3 * cStride), c30, c31);
        Store(c + (4 * cStride), c40, c41);
        Store(c + (5 * cStride), c50, c51);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply3(float* a, int aStride, int depth, float* b, int bStride, float* c, int cStride, float* scales)
    {
        (Vector256<float> c00, Vector256<float> c01) = Start(c, scales, 0, cStride);
        (Vector256<float> c10, Vector256<float> c11) = Start(c, scales, 1, cStride);
        (Vector256<float> c20, Vector256<float> c21) = Start(c, scales, 2, cStride);
        for (int k = 0; k < depth; k++)
        {
            Vector256<float> low = Vector256.Load(b);
            Vector256<float> high = Vector256.Load(b + 8);
            Vector256<float> x = Vector256.Create(a[k]);
            c00 = VectorMath.MultiplyAdd(x, low, c00);
            c01 = VectorMath.MultiplyAdd(x, high, c01);
            x = Vector256.Create(a[k + aStride]);
            c10 = VectorMath.MultiplyAdd(x, low, c10);
            c11 = VectorMath.MultiplyAdd(x, high, c11);
            x = Vector256.Create(a[k + (2 * aStride)]);
            c20 = VectorMath.MultiplyAdd(x, low, c20);
            c21 = VectorMath.MultiplyAdd(x, high, c21);
            b += bStride;
        }

        Store(c, c00, c01);
        Store(c + cStride, c10, c11);
        Store(c + (2 * cStride), c20, c21);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply1(float* a, int depth, float* b, int bStride, float* c, float* scales)
    {
        (Vector256<float> c0, Vector256<float> c1) = Start(c, scales, 0, 0);
        for (int k = 0; k < depth; k++)
        {
            Vector256<float> x = Vector256.Create(a[k]);
            c0 = VectorMath.MultiplyAdd(x, Vector256.Load(b), c0);
            c1 = VectorMath.MultiplyAdd(x, Vector256.Load(b + 8), c1);
            b += bStride;
        }

        Store(c, c0, c1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Low, Vector256<float> High) Start(float* c, float* scales, int row, int cStride)
    {
        if (scales is null)
        {
            return (Vector256<float>.Zero, Vector256<float>.Zero);
        }

        Vector256<float> scale = Vector256.Create(scales[row]);
        float* from = c + (row * cStride);
        return (Vector256.Load(from) * scale, Vector256.Load(from + 8) * scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* to, Vector256<float> low, Vector256<float> high)
    {
        Vector256.Store(low, to);
        Vector256.Store(high, to + 8);
    }
}
