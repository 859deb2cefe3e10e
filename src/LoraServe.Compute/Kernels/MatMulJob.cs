using LoraServe.Compute.Kernels.Panels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Kernels;

/// <summary>One fork-join of <see cref="MatMul.Run"/>: chunks of panels, a contiguous run of them for each worker, who then takes over what others have left.</summary>
/// <remarks>Contiguous runs keep reads sequential; taking over keeps a worker that lost its core from stopping the others. Neither changes a result.</remarks>
internal readonly unsafe ref struct MatMulJob<TEpilogue> : IParallelJob
    where TEpilogue : struct, IMatMulEpilogue
{
    /// <summary>Longs between two workers' cursors: a cache line pair.</summary>
    public const int CursorStride = 16;

    // Large enough that claiming and prefetching amortise, small enough to balance.
    private const long LargestChunkBytes = 128 << 10;
    private const int ChunksPerWorker = 8;
    private const int PanelsPerTile = 4;

    private readonly MatMulInput _x;
    private readonly ReadOnlySpan<PackedMatrix> _parts;
    private readonly ReadOnlySpan<Rows> _outputs;
    private readonly ref TEpilogue _epilogue;
    private readonly long* _cursors;
    private readonly long _chunkBytes;
    private readonly int _chunkCount;

    public MatMulJob(in MatMulInput x, ReadOnlySpan<PackedMatrix> parts, ReadOnlySpan<Rows> outputs, ref TEpilogue epilogue, long* cursors, int workerCount)
    {
        _x = x;
        _parts = parts;
        _outputs = outputs;
        _epilogue = ref epilogue;
        _cursors = cursors;
        long bytes = 0;
        foreach (PackedMatrix part in parts)
        {
            bytes += part.ByteLength;
        }

        _chunkBytes = Math.Min(bytes / ((long)workerCount * ChunksPerWorker), LargestChunkBytes);
        foreach (PackedMatrix part in parts)
        {
            _chunkCount += Chunks(part);
        }

        for (int worker = 0; worker < workerCount; worker++)
        {
            cursors[worker * CursorStride] = FirstChunk(worker, workerCount);
        }
    }

    public void Run(int worker, int workerCount)
    {
        for (int i = 0; i < workerCount; i++)
        {
            int owner = (worker + i) % workerCount;
            int end = FirstChunk(owner + 1, workerCount);
            ref long cursor = ref _cursors[owner * CursorStride];
            while (Volatile.Read(ref cursor) < end)
            {
                long chunk = Interlocked.Increment(ref cursor) - 1;
                if (chunk < end)
                {
                    RunChunk((int)chunk);
                }
            }
        }
    }

    private int FirstChunk(int worker, int workerCount) => (int)((long)_chunkCount * worker / workerCount);

    private int PanelsPerChunk(PackedMatrix part) =>
        (int)Math.Min(((_chunkBytes / part.PanelBytes / PanelsPerTile) + 1) * PanelsPerTile, part.PanelCount);

    private int Chunks(PackedMatrix part) => (part.PanelCount + PanelsPerChunk(part) - 1) / PanelsPerChunk(part);

    private void RunChunk(int chunk)
    {
        int part = 0;
        for (int count; chunk >= (count = Chunks(_parts[part])); part++)
        {
            chunk -= count;
        }

        PackedMatrix m = _parts[part];
        int columns = PanelsPerChunk(m) * m.Lanes;
        int first = chunk * columns;
        var target = new TileTarget(_outputs[part], first, Math.Min(first + columns, m.Outputs));
        if (m.ReadsIntegers)
        {
            PanelKernels.Of(m).MultiplyIntegers(m, _x.Blocks(m), _x.Values.Count, target);
        }
        else
        {
            PanelKernels.Of(m).MultiplyFloats(m, _x.Values, target);
        }

        _epilogue.Apply(part, first, target.End - first);
    }
}
