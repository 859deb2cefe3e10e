using System.Diagnostics;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Forward;

/// <summary>The memory of the paged key/value cache. Who owns which page is the caller's business.</summary>
/// <remarks>
/// A page holds <see cref="KvPage.Tokens"/> positions of one sequence for all layers: for each layer and key/value head the
/// (rotated) keys as [K, 16] and the values as [16, padded K], in the form that <see cref="AttentionTile"/> reads.
/// </remarks>
internal sealed unsafe class KvPool : IDisposable
{
    private readonly NativeBuffer _memory;
    private readonly ElementType _type;
    private readonly int _heads;
    private readonly int _headSize;
    private readonly int _paddedHeadSize;
    private readonly long _blockBytes;

    /// <summary>Allocates all pages.</summary>
    /// <param name="spec">The model whose keys and values go in.</param>
    /// <param name="pageCount">Number of pages, at least one.</param>
    /// <param name="type">F32, or F16 for half the memory.</param>
    /// <exception cref="ArgumentException">Another type, or no pages.</exception>
    public KvPool(TransformerSpec spec, int pageCount, ElementType type)
    {
        Debug.Assert(KvPage.Tokens == AttentionTile.BlockPositions, "A page is what the tile takes at once.");
        ArgumentOutOfRangeException.ThrowIfLessThan(pageCount, 1);
        PageBytes = BytesPerPage(spec, type);
        PageCount = pageCount;
        _type = type;
        _heads = spec.KeyValueHeads;
        _headSize = spec.HeadSize;
        _paddedHeadSize = AttentionTile.PaddedHeadSize(spec.HeadSize);
        _blockBytes = PageBytes / spec.LayerCount / spec.KeyValueHeads;
        _memory = new NativeBuffer(PageBytes * pageCount);
    }

    /// <summary>Number of pages.</summary>
    public int PageCount { get; }

    /// <summary>Size of a page in bytes.</summary>
    public long PageBytes { get; }

    /// <summary>Size of all pages in bytes.</summary>
    public long ByteLength => _memory.ByteLength;

    /// <summary>Size in bytes that a page of a model has.</summary>
    /// <exception cref="ArgumentException">The type is neither F32 nor F16.</exception>
    public static long BytesPerPage(TransformerSpec spec, ElementType type)
    {
        int elementBytes = type switch
        {
            ElementType.F32 => sizeof(float),
            ElementType.F16 => sizeof(ushort),
            _ => throw new ArgumentException($"The key/value cache can hold F32 or F16, not {type}.", nameof(type)),
        };
        int blockElements = KvPage.Tokens * (spec.HeadSize + AttentionTile.PaddedHeadSize(spec.HeadSize));
        return (long)spec.LayerCount * spec.KeyValueHeads * blockElements * elementBytes;
    }

    /// <summary>Copies a page's content: the first write to a shared page goes to a copy.</summary>
    public void CopyPage(int from, int to) => Buffer.MemoryCopy(Page(from), Page(to), PageBytes, PageBytes);

    /// <inheritdoc />
    public void Dispose() => _memory.Dispose();

    /// <summary>Floats of scratch that <see cref="Read"/> and <see cref="Write"/> need.</summary>
    public int ScratchFloats => KvPage.Tokens * 2 * _paddedHeadSize;

    /// <summary>Stores the key and value of one position.</summary>
    public void Write(int page, int layer, int head, int slot, float* key, float* value, float* scratch)
    {
        byte* block = Block(page, layer, head);
        if (_type == ElementType.F32)
        {
            float* keys = (float*)block;
            for (int i = 0; i < _headSize; i++)
            {
                keys[(i * KvPage.Tokens) + slot] = key[i];
            }

            new Span<float>(value, _headSize).CopyTo(new Span<float>(keys + (KvPage.Tokens * _headSize) + (slot * _paddedHeadSize), _headSize));
            return;
        }

        ushort* narrowKeys = (ushort*)block;
        ushort* narrow = (ushort*)(scratch + _paddedHeadSize);
        Narrow(key, scratch, narrow);
        for (int i = 0; i < _headSize; i++)
        {
            narrowKeys[(i * KvPage.Tokens) + slot] = narrow[i];
        }

        Narrow(value, scratch, narrowKeys + (KvPage.Tokens * _headSize) + (slot * _paddedHeadSize));
    }

    /// <summary>One head's block of a page as float32: where it lies, or widened into <paramref name="scratch"/>.</summary>
    public void Read(int page, int layer, int head, float* scratch, out float* keys, out float* values)
    {
        byte* block = Block(page, layer, head);
        keys = (float*)block;
        if (_type == ElementType.F16)
        {
            keys = scratch;
            HalfPrecision.Widen((ushort*)block, scratch, KvPage.Tokens * (_headSize + _paddedHeadSize));
        }

        values = keys + (KvPage.Tokens * _headSize);
    }

    /// <summary>Begins to fetch half of a block that <see cref="Read"/> will be asked for next: blocks lie too far apart for the processor to foresee them.</summary>
    /// <remarks>By halves, because a core waits when more than some twenty cache lines are under way.</remarks>
    public void Prefetch(int page, int layer, int head, int half) =>
        NativeBuffer.Prefetch(Block(page, layer, head) + (half * (_blockBytes / 2)), _blockBytes / 2);

    private void Narrow(float* source, float* padded, ushort* destination)
    {
        new Span<float>(source, _headSize).CopyTo(new Span<float>(padded, _headSize));
        new Span<float>(padded + _headSize, _paddedHeadSize - _headSize).Clear();
        HalfPrecision.Narrow(padded, destination, _paddedHeadSize);
    }

    private byte* Page(int page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)page, (uint)PageCount);
        return _memory.Pointer + (page * PageBytes);
    }

    private byte* Block(int page, int layer, int head) =>
        Page(page) + ((((long)layer * _heads) + head) * _blockBytes);
}
