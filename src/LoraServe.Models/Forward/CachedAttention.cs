using System.Runtime.InteropServices;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Models.Forward;

/// <summary>Causal attention of a batch's segments over the paged cache.</summary>
/// <remarks>
/// The work is cut into items: a few rows of a segment and one key/value head with the query heads that share it. Workers
/// take items as they get free, so a long sequence alone keeps several busy; which worker computes an item changes no bit.
/// </remarks>
internal sealed unsafe class CachedAttention(TransformerSpec spec, KvPool pages, WorkerPool pool)
{
    private readonly int _group = spec.QueryHeads / spec.KeyValueHeads;
    private readonly float _scale = 1f / MathF.Sqrt(spec.HeadSize);
    private readonly List<Tile> _tiles = [];
    private TokenBatch _batch = null!;
    private Rows _queries;
    private Rows _keys;
    private Rows _values;
    private Rows _outputs;
    private int _layer;
    private float* _scratch;
    private int _nextItem;
    private long _cachedPositions;

    private int RowsPerTile => Math.Max(1, AttentionTile.PreferredQueries / _group);

    private int ScratchFloats => (pages.ScratchFloats + AttentionTile.FloatsNeeded(RowsPerTile * _group, spec.HeadSize) + 15) & -16;

    /// <summary>Cuts a batch into tiles; once for all layers.</summary>
    public void Plan(TokenBatch batch, ScratchArena scratch)
    {
        _batch = batch;
        _tiles.Clear();
        _cachedPositions = 0;
        ReadOnlySpan<Segment> segments = batch.Segments;
        for (int i = 0; i < segments.Length; i++)
        {
            // Later tiles see more positions; the longest first leaves workers least to wait for at the end.
            for (int end = segments[i].RowCount; end > 0; end -= RowsPerTile)
            {
                int first = Math.Max(0, end - RowsPerTile);
                _tiles.Add(new Tile(i, first, end - first));
                _cachedPositions += (long)(end - first) * (segments[i].FirstPosition + end);
            }
        }

        _scratch = (float*)scratch.RentBytes((long)pool.WorkerCount * ScratchFloats * sizeof(float));
    }

    /// <summary>Appends keys and values to the cache, then attends.</summary>
    /// <param name="queries">[T, H·K], rotated.</param>
    /// <param name="keys">[T, G·K], rotated.</param>
    /// <param name="values">[T, G·K].</param>
    /// <param name="layer">The layer.</param>
    /// <param name="outputs">[T, H·K].</param>
    public void Run(Rows queries, Rows keys, Rows values, int layer, Rows outputs)
    {
        (_queries, _keys, _values, _outputs, _layer) = (queries, keys, values, outputs, layer);
        Start(new AppendJob(this), _batch.RowCount * (long)keys.Width * 4);
        _nextItem = 0;
        Start(new AttendJob(this), _cachedPositions * queries.Width * 2);
    }

    private void Start<TJob>(TJob job, long operations)
        where TJob : struct, IParallelJob
    {
        if (operations < RowLoop.WorthSharing)
        {
            job.Run(0, 1);
        }
        else
        {
            pool.Run(ref job);
        }
    }

    private void Append(int worker, int workerCount)
    {
        // By head, so that no two workers write the same cache lines of a page.
        int firstHead = spec.KeyValueHeads * worker / workerCount;
        int endHead = spec.KeyValueHeads * (worker + 1) / workerCount;
        float* scratch = _scratch + (worker * ScratchFloats);
        foreach (Segment segment in _batch.Segments)
        {
            for (int i = 0; i < segment.RowCount; i++)
            {
                int row = segment.FirstRow + i;
                int position = segment.FirstPosition + i;
                int page = _batch.Pages[segment.FirstPage + (position / KvPool.PageTokens)];
                for (int head = firstHead; head < endHead; head++)
                {
                    int column = head * spec.HeadSize;
                    pages.Write(page, _layer, head, position % KvPool.PageTokens, _keys[row] + column, _values[row] + column, scratch);
                }
            }
        }
    }

    private void Attend(int worker)
    {
        float* scratch = _scratch + (worker * ScratchFloats);
        var tile = new AttentionTile(scratch + pages.ScratchFloats, RowsPerTile * _group, spec.HeadSize);
        int items = _tiles.Count * spec.KeyValueHeads;
        for (int item = Interlocked.Increment(ref _nextItem) - 1; item < items; item = Interlocked.Increment(ref _nextItem) - 1)
        {
            AttendItem(CollectionsMarshal.AsSpan(_tiles)[item / spec.KeyValueHeads], item % spec.KeyValueHeads, tile, scratch);
        }
    }

    private void AttendItem(Tile item, int head, AttentionTile tile, float* scratch)
    {
        Segment segment = _batch.Segments[item.Segment];
        int firstRow = segment.FirstRow + item.FirstRow;
        int firstPosition = segment.FirstPosition + item.FirstRow;
        int lastPosition = firstPosition + item.RowCount - 1;
        int column = head * _group * spec.HeadSize;
        int count = item.RowCount * _group;
        for (int i = 0; i < count; i++)
        {
            tile.SetQuery(i, _queries[firstRow + (i / _group)] + column + (i % _group * spec.HeadSize), _scale, firstPosition + (i / _group));
        }

        int window = spec.Windows[_layer];
        int firstSeen = window > 0 ? Math.Max(0, firstPosition - window + 1) : 0;
        int lastBlock = lastPosition / KvPool.PageTokens;
        for (int block = firstSeen / KvPool.PageTokens; block <= lastBlock; block++)
        {
            int start = block * KvPool.PageTokens;
            if (block < lastBlock)
            {
                pages.Prefetch(_batch.Pages[segment.FirstPage + block + 1], _layer, head);
            }

            pages.Read(_batch.Pages[segment.FirstPage + block], _layer, head, scratch, out float* keys, out float* values);
            tile.AddBlock(count, start, Math.Min(KvPool.PageTokens, lastPosition + 1 - start), window, keys, values);
        }

        for (int i = 0; i < count; i++)
        {
            tile.Finish(i, _outputs[firstRow + (i / _group)] + column + (i % _group * spec.HeadSize));
        }
    }

    private readonly record struct Tile(int Segment, int FirstRow, int RowCount);

    private readonly struct AppendJob(CachedAttention attention) : IParallelJob
    {
        public void Run(int worker, int workerCount) => attention.Append(worker, workerCount);
    }

    private readonly struct AttendJob(CachedAttention attention) : IParallelJob
    {
        public void Run(int worker, int workerCount) => attention.Attend(worker);
    }
}
