using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Forward;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Backward;

/// <summary>The way back through attention; the way forth is <see cref="CachedAttention"/>. Every segment is a whole sequence.</summary>
/// <remarks>Workers take pairs of a segment and a key/value head, which share nothing, as they get free.</remarks>
internal sealed unsafe class AttentionGradient(TransformerSpec spec, WorkerPool pool, ScratchArena scratch)
{
    private readonly int _group = spec.QueryHeads / spec.KeyValueHeads;
    private readonly float _scale = spec.AttentionScale;
    private TapeValue _queries = null!;
    private TapeValue _keys = null!;
    private TapeValue _values = null!;
    private TapeValue _attended = null!;
    private TokenBatch _batch = null!;
    private float* _memory;
    private int _floatsPerWorker;
    private int _window;
    private int _next;

    /// <summary>Adds the derivatives by queries, keys and values, all rotated as attention read them.</summary>
    public void Run(TapeValue queries, TapeValue keys, TapeValue values, TapeValue attended, int layer, TokenBatch batch)
    {
        (_queries, _keys, _values, _attended, _batch) = (queries, keys, values, attended, batch);
        _window = spec.Windows[layer];
        int longest = 0;
        foreach (Segment segment in batch.Segments)
        {
            longest = Math.Max(longest, segment.RowCount);
        }

        _floatsPerWorker = checked((int)AttentionBackward.FloatsNeeded(longest, _group, spec.HeadSize, _window, spec.ScoreCap > 0));
        long mark = scratch.Mark();
        _memory = (float*)scratch.RentBytes((long)_floatsPerWorker * pool.WorkerCount * sizeof(float));
        _next = 0;
        var job = new Job(this);
        pool.Run(ref job);
        scratch.Release(mark);
    }

    private void Work(int worker)
    {
        float* memory = _memory + ((long)worker * _floatsPerWorker);
        int count = _batch.Segments.Length * spec.KeyValueHeads;
        for (int i = Interlocked.Increment(ref _next) - 1; i < count; i = Interlocked.Increment(ref _next) - 1)
        {
            Segment segment = _batch.Segments[i / spec.KeyValueHeads];
            int head = i % spec.KeyValueHeads;
            AttentionBackward.Run(
                Part(_queries.Rows, segment, head, _group),
                Part(_keys.Rows, segment, head, 1),
                Part(_values.Rows, segment, head, 1),
                Part(_attended.Gradient, segment, head, _group),
                Part(_queries.Gradient, segment, head, _group),
                Part(_keys.Gradient, segment, head, 1),
                Part(_values.Gradient, segment, head, 1),
                _scale,
                _window,
                memory,
                spec.ScoreCap);
        }
    }

    private Rows Part(Rows rows, Segment segment, int head, int heads) =>
        rows.Slice(segment.FirstRow, segment.RowCount).Columns(head * heads * spec.HeadSize, heads * spec.HeadSize);

    private readonly struct Job(AttentionGradient attention) : IParallelJob
    {
        public void Run(int worker, int workerCount) => attention.Work(worker);
    }
}
