using System.Runtime.InteropServices;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Forward;

/// <summary>Causal attention of a batch's segments over the paged cache.</summary>
/// <remarks>
/// The work is cut into items: a few rows of a segment and one key/value head with the query heads that share it. Workers
/// take items as they get free, so a long sequence alone keeps several busy; which worker computes an item changes no bit.
/// Where that makes too few items, tiles are cut further, into the ranges of positions that <see cref="AttentionTile"/> sums up
/// one by one anyway.
/// </remarks>
internal sealed unsafe class CachedAttention(TransformerSpec spec, KvPool pages, WorkerPool pool)
{
    // With fewer, workers wait for whoever has the last one.
    private const int ItemsPerWorker = 8;

    private const int NotSaved = -1;
    private const int BlocksPerRange = AttentionTile.RangePositions / KvPage.Tokens;

    private readonly int _group = spec.QueryHeads / spec.KeyValueHeads;
    private readonly float _scale = spec.AttentionScale;
    private readonly int _stateFloats = AttentionTile.StateFloats(spec.HeadSize);
    private readonly List<Tile> _tiles = [];
    private readonly List<Item> _items = [];
    private TokenBatch _batch = null!;
    private Rows _queries;
    private Rows _keys;
    private Rows _values;
    private Rows _outputs;
    private int _layer;
    private float* _scratch;
    private float* _states;
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
        PlanItems(scratch);
    }

    private void PlanItems(ScratchArena scratch)
    {
        _items.Clear();
        int states = 0;
        bool cutsRanges = pool.WorkerCount > 1 && _tiles.Count * spec.KeyValueHeads < ItemsPerWorker * pool.WorkerCount;
        for (int tile = 0; tile < _tiles.Count; tile++)
        {
            int ranges = (LastPosition(_tiles[tile]) / AttentionTile.RangePositions) + 1;
            if (!cutsRanges || ranges == 1)
            {
                _items.Add(new Item(tile, 0, ranges, NotSaved));
                continue;
            }

            for (int range = 0; range < ranges; range++)
            {
                _items.Add(new Item(tile, range, range + 1, states++));
            }
        }

        _states = (float*)scratch.RentBytes((long)states * spec.KeyValueHeads * RowsPerTile * _group * _stateFloats * sizeof(float));
    }

    private int LastPosition(Tile tile) => _batch.Segments[tile.Segment].FirstPosition + tile.FirstRow + tile.RowCount - 1;

    private float* State(int item, int head, int query) =>
        _states + (((((long)item * spec.KeyValueHeads) + head) * RowsPerTile * _group + query) * _stateFloats);

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
        JoinRanges();
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
                int page = _batch.Pages[segment.FirstPage + (position / KvPage.Tokens)];
                for (int head = firstHead; head < endHead; head++)
                {
                    int column = head * spec.HeadSize;
                    pages.Write(page, _layer, head, position % KvPage.Tokens, _keys[row] + column, _values[row] + column, scratch);
                }
            }
        }
    }

    private AttentionTile TileOf(int worker) =>
        new(_scratch + (worker * ScratchFloats) + pages.ScratchFloats, RowsPerTile * _group, spec.HeadSize, spec.ScoreCap);

    private void Attend(int worker)
    {
        AttentionTile tile = TileOf(worker);
        int count = _items.Count * spec.KeyValueHeads;
        for (int i = Interlocked.Increment(ref _nextItem) - 1; i < count; i = Interlocked.Increment(ref _nextItem) - 1)
        {
            AttendItem(CollectionsMarshal.AsSpan(_items)[i / spec.KeyValueHeads], i % spec.KeyValueHeads, tile, _scratch + (worker * ScratchFloats));
        }
    }

    private void AttendItem(Item item, int head, AttentionTile tile, float* scratch)
    {
        Tile rows = _tiles[item.Tile];
        Segment segment = _batch.Segments[rows.Segment];
        int firstPosition = segment.FirstPosition + rows.FirstRow;
        int count = rows.RowCount * _group;
        for (int i = 0; i < count; i++)
        {
            tile.SetQuery(i, Place(_queries, rows, head, i), _scale, firstPosition + (i / _group));
        }

        int window = spec.Windows[_layer];
        int firstSeen = window > 0 ? Math.Max(0, firstPosition - window + 1) : 0;
        int endPosition = LastPosition(rows) + 1;
        int endBlock = Math.Min((endPosition + KvPage.Tokens - 1) / KvPage.Tokens, item.EndRange * BlocksPerRange);
        for (int block = Math.Max(firstSeen / KvPage.Tokens, item.FirstRange * BlocksPerRange); block < endBlock; block++)
        {
            int start = block * KvPage.Tokens;
            int page = _batch.Pages[segment.FirstPage + block];
            int nextPage = _batch.Pages[segment.FirstPage + Math.Min(block + 1, endBlock - 1)];
            pages.Prefetch(nextPage, _layer, head, 0);
            pages.Read(page, _layer, head, scratch, out float* keys, out float* values);
            pages.Prefetch(nextPage, _layer, head, 1);
            tile.AddBlock(count, start, Math.Min(KvPage.Tokens, endPosition - start), window, keys, values);
            if (item.State == NotSaved && ((block + 1) % BlocksPerRange == 0 || block + 1 == endBlock))
            {
                tile.EndRange(count);
            }
        }

        for (int i = 0; i < count; i++)
        {
            if (item.State == NotSaved)
            {
                tile.Finish(i, Place(_outputs, rows, head, i));
            }
            else
            {
                tile.SaveRange(i, State(item.State, head, i));
            }
        }
    }

    /// <summary>Adds up the ranges that were computed apart, of each tile in ascending order.</summary>
    private void JoinRanges()
    {
        AttentionTile tile = TileOf(0);
        for (int first = 0, end; first < _items.Count; first = end)
        {
            Item item = _items[first];
            for (end = first + 1; end < _items.Count && _items[end].Tile == item.Tile; end++)
            {
            }

            if (item.State == NotSaved)
            {
                continue;
            }

            Tile rows = _tiles[item.Tile];
            for (int head = 0; head < spec.KeyValueHeads; head++)
            {
                for (int i = 0; i < rows.RowCount * _group; i++)
                {
                    tile.Clear(i);
                    for (int range = first; range < end; range++)
                    {
                        tile.AddRange(i, State(_items[range].State, head, i));
                    }

                    tile.Finish(i, Place(_outputs, rows, head, i));
                }
            }
        }
    }

    /// <summary>Where query vector <paramref name="i"/> of a tile stands.</summary>
    private float* Place(Rows rows, Tile tile, int head, int i) =>
        rows[_batch.Segments[tile.Segment].FirstRow + tile.FirstRow + (i / _group)] + (((head * _group) + (i % _group)) * spec.HeadSize);

    private readonly record struct Tile(int Segment, int FirstRow, int RowCount);

    /// <summary>Ranges of positions that a tile is computed over; all of them, or one whose state is saved.</summary>
    private readonly record struct Item(int Tile, int FirstRange, int EndRange, int State);

    private readonly struct AppendJob(CachedAttention attention) : IParallelJob
    {
        public void Run(int worker, int workerCount) => attention.Append(worker, workerCount);
    }

    private readonly struct AttendJob(CachedAttention attention) : IParallelJob
    {
        public void Run(int worker, int workerCount) => attention.Attend(worker);
    }
}
