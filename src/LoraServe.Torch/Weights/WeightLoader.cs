using System.Buffers;
using System.Runtime.InteropServices;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Models.Spec;
using LoraServe.Torch.Native;
using StoredTensor = LoraServe.Compute.Tensors.Tensor;

namespace LoraServe.Torch.Weights;

/// <summary>Brings a model's tensors from their mapped files into a device's memory, a stretch of rows at a time.</summary>
/// <remarks>Rows of 16 bits are copied as they are and converted on the device; all others are widened here, on several threads.</remarks>
/// <param name="weights">The weights in their files.</param>
/// <param name="options">How they are loaded.</param>
/// <param name="device">Where to.</param>
/// <param name="type">What is computed in.</param>
/// <param name="keepsStored">Whether quantised weights stay as they are.</param>
internal sealed class WeightLoader(ModelWeights weights, ModelLoadOptions options, torch.Device device, ScalarType type, bool keepsStored)
{
    private const long StagingBytes = 64 << 20;

    private readonly TransformerSpec _spec = weights.Spec;
    private readonly Dictionary<Site, (StoredTensor Weight, StoredTensor? Bias)> _stored = weights.Linears.ToDictionary(linear => linear.Site, linear => (linear.Weight, linear.Bias));
    private readonly ParallelOptions _workers = new() { MaxDegreeOfParallelism = Math.Max(1, options.Workers) };
    private readonly List<IDisposable> _made = [];
    private long _done;
    private long _total;

    private delegate void RowReader(long row, Span<byte> destination);

    /// <summary>Bytes that the weights will take on the device, before anything is allocated.</summary>
    public long BytesNeeded => weights.Linears.Where(linear => linear.Site != Site.Head || !_spec.TiedHead).Sum(linear => Needed(linear.Site, linear.Weight))
        + Needed(Site.Embedding, weights.TokenTable) + (weights.Positions is { } positions ? Needed(Site.Positions, positions) : 0);

    /// <summary>Loads everything.</summary>
    public TorchWeights Load()
    {
        _total = weights.All.Sum(tensor => tensor.ByteLength);
        using IDisposable noGrad = torch.no_grad();
        try
        {
            WeightMatrix table = Keep<WeightMatrix>(StaysStored(Site.Embedding, weights.TokenTable) ? Blocks(weights.TokenTable, []) : new DenseMatrix(Whole(weights.TokenTable)));
            WeightMatrix? positions = weights.Positions is { } learned ? Keep<WeightMatrix>(new DenseMatrix(Whole(learned))) : null;
            List<FusedMaps> maps = [];
            foreach (IGrouping<(int, int, int), Site> together in _spec.Sites.Linears.Where(site => site.Layer >= 0).GroupBy(site => (site.Layer, site.Expert, InputOf(site.Role))))
            {
                maps.Add(Keep(Fuse([.. together])));
            }

            maps.Add(_spec.TiedHead ? new FusedMaps([new FusedMaps.Part(Site.Head, 0, _spec.VocabularySize, new Borrowed(table), null)], null, null) : Keep(Fuse([Site.Head])));
            return new TorchWeights(_spec, table, positions, maps, [.. _spec.Sites.Norms.Select(site => Keep(torch.tensor(weights.Norm(site), device: device)))], type)
            {
                AreRounded = options.RoundsToNf4,
                AreStored = maps.Exists(fused => fused.Weight is null && fused.Parts[0].Site != Site.Head),
            };
        }
        catch
        {
            _made.ForEach(made => made.Dispose());
            throw;
        }
    }

    /// <summary>Which of a layer's inputs a map reads: maps of one lie in one matrix.</summary>
    private static int InputOf(SiteRole role) => (int)(role switch
    {
        SiteRole.Query or SiteRole.Key or SiteRole.Value => SiteRole.Query,
        SiteRole.Gate or SiteRole.Up => SiteRole.Gate,
        SiteRole.ExpertGate or SiteRole.ExpertUp => SiteRole.ExpertGate,
        _ => role,
    });

    private bool Rounds(Site site) => options.RoundsToNf4 && site.Layer >= 0;

    private bool StaysStored(Site site, StoredTensor tensor) => keepsStored && site.Role != SiteRole.Positions && (Rounds(site)
        ? Nf4Weight.Fits(tensor.Shape[0], tensor.Shape[1], Nf4.DefaultBlockSize)
        : tensor.Type.Codes() is not null);

    private long Needed(Site site, StoredTensor tensor) => !StaysStored(site, tensor) ? tensor.ElementCount * (type == ScalarType.Float32 ? sizeof(float) : sizeof(ushort))
        : Rounds(site) ? (tensor.ElementCount / 2) + (tensor.ElementCount / Nf4.DefaultBlockSize * sizeof(float))
        : StoredBytes(tensor.Type.Codes()!, tensor.ElementCount);

    private static long StoredBytes(CodeTable table, long elements) => (elements / BlockMatrix.GroupElements * CodeBytes(table))
        + (elements / table.RunElements * (table.AreHalves ? sizeof(ushort) : sizeof(float)) * (table.HasMinimum ? 2 : 1));

    private FusedMaps Fuse(Site[] sites)
    {
        Tensor? bias = Bias(sites);
        var parts = new List<FusedMaps.Part>();
        long rows = 0;
        if (Array.Exists(sites, site => StaysStored(site, _stored[site].Weight)))
        {
            foreach (Site site in sites)
            {
                long outputs = _spec.Shape(site.Role).Outputs;
                parts.Add(new FusedMaps.Part(site, rows, outputs, Keep(Apart(site)), bias?.narrow(0, rows, outputs)));
                rows += outputs;
            }

            return new FusedMaps(parts, null, bias);
        }

        Tensor whole = Keep(torch.empty(sites.Sum(site => (long)_spec.Shape(site.Role).Outputs), _spec.Shape(sites[0].Role).Inputs, dtype: type, device: device));
        foreach (Site site in sites)
        {
            long outputs = _spec.Shape(site.Role).Outputs;
            Tensor part = whole.narrow(0, rows, outputs);
            Fill(part, site);
            parts.Add(new FusedMaps.Part(site, rows, outputs, new DenseMatrix(part, isView: true), bias?.narrow(0, rows, outputs)));
            rows += outputs;
        }

        return new FusedMaps(parts, whole, bias);
    }

    private Tensor? Bias(Site[] sites)
    {
        if (!Array.Exists(sites, site => _stored[site].Bias is not null))
        {
            return null;
        }

        List<float> bias = [];
        foreach (Site site in sites)
        {
            float[] values = _stored[site].Bias?.ToFloats() ?? new float[_spec.Shape(site.Role).Outputs];
            int[] order = weights.RowOrder(site).ToArray();
            bias.AddRange(order.Length == 0 ? values : Array.ConvertAll(order, row => values[row]));
        }

        return Keep(torch.tensor(bias.ToArray(), dtype: type, device: device));
    }

    /// <summary>A map as it is stored, or dense where that is of another type than the maps beside it.</summary>
    private WeightMatrix Apart(Site site)
    {
        StoredTensor stored = _stored[site].Weight;
        if (!StaysStored(site, stored))
        {
            Tensor whole = torch.empty(stored.Shape[0], stored.Shape[1], dtype: type, device: device);
            Fill(whole, site);
            return new DenseMatrix(whole);
        }

        if (!Rounds(site))
        {
            return Blocks(stored, weights.RowOrder(site).ToArray());
        }

        Nf4Weight rounded = Nf4Weight.Of(Round(site), device, type);
        Report(stored.ByteLength);
        return rounded;
    }

    private void Fill(Tensor part, Site site)
    {
        StoredTensor stored = _stored[site].Weight;
        if (!Rounds(site))
        {
            Fill(part, stored, weights.RowOrder(site).ToArray());
            return;
        }

        Nf4Matrix rounded = Round(site);
        Fill(part, rounded.Columns * sizeof(float), rounded.Columns, ScalarType.Float32, (row, destination) => rounded.CopyRow((int)row, MemoryMarshal.Cast<byte, float>(destination)));
        Report(stored.ByteLength);
    }

    /// <summary>NF4's blocks run over the whole matrix, so rows are brought into Hugging Face's order first.</summary>
    private Nf4Matrix Round(Site site)
    {
        StoredTensor stored = _stored[site].Weight;
        int[] order = weights.RowOrder(site).ToArray();
        (int rows, int columns) = ((int)stored.Shape[0], (int)stored.Shape[1]);
        float[] values = new float[checked(rows * columns)];
        Parallel.For(0, rows, _workers, row => stored.CopyRow(order.Length == 0 ? row : order[row], values.AsSpan(row * columns, columns)));
        return Nf4Matrix.Quantize(values, rows, columns);
    }

    private Tensor Whole(StoredTensor stored)
    {
        Tensor whole = torch.empty(stored.Shape[0], stored.Shape[1], dtype: type, device: device);
        Fill(whole, stored, []);
        return whole;
    }

    /// <summary>Codes and scales of blocks apart from each other, since a tensor has one type.</summary>
    private BlockMatrix Blocks(StoredTensor stored, int[] order)
    {
        CodeTable table = stored.Type.Codes()!;
        (long rows, long groups, int elements) = (stored.RowCount, stored.RowLength / BlockMatrix.GroupElements, checked((int)stored.RowLength));
        int codeBytes = CodeBytes(table);
        Tensor codes = Keep(torch.empty([rows, groups, codeBytes], dtype: ScalarType.Byte, device: device));
        Fill(codes, (int)groups * codeBytes, groups * codeBytes, ScalarType.Byte, (row, destination) =>
        {
            byte[] whole = ArrayPool<byte>.Shared.Rent(elements);
            stored.CopyCodes(Source(row), whole.AsSpan(0, elements), [], []);
            PutTogether(whole.AsSpan(0, elements), destination);
            ArrayPool<byte>.Shared.Return(whole);
        });
        var matrix = new BlockMatrix(
            codes,
            Runs((row, runs) => stored.CopyCodes(row, [], runs, [])),
            table.HasMinimum ? Runs((row, runs) => stored.CopyCodes(row, [], [], runs)) : null,
            table.Values[0],
            table.IsEven ? null : Keep(torch.tensor(table.Values.ToArray(), device: device)),
            type);
        Report(stored.ByteLength);
        return matrix;

        Tensor Runs(Action<long, Span<float>> read)
        {
            long runs = elements / table.RunElements;
            Tensor part = Keep(torch.empty([rows, runs, 1], dtype: table.AreHalves ? ScalarType.Float16 : ScalarType.Float32, device: device));
            Fill(part, (int)runs * sizeof(float), runs, ScalarType.Float32, (row, destination) => read(Source(row), MemoryMarshal.Cast<byte, float>(destination)));
            return part;
        }

        long Source(long row) => order.Length == 0 ? row : order[row];
    }

    private static int CodeBytes(CodeTable table) => table.Values.Length <= 16 ? BlockMatrix.GroupElements / 2 : BlockMatrix.GroupElements;

    // Two codes a byte where there is room for half as many bytes.
    private static void PutTogether(ReadOnlySpan<byte> codes, Span<byte> destination)
    {
        if (destination.Length == codes.Length)
        {
            codes.CopyTo(destination);
            return;
        }

        const int Half = BlockMatrix.GroupElements / 2;
        for (int i = 0; i < destination.Length; i++)
        {
            int low = (i / Half * BlockMatrix.GroupElements) + (i % Half);
            destination[i] = (byte)(codes[low] | (codes[low + Half] << 4));
        }
    }

    private void Fill(Tensor part, StoredTensor stored, int[] order)
    {
        int rowBytes = checked((int)(stored.ByteLength / stored.RowCount));
        ScalarType? same = stored.Type switch { ElementType.BF16 => ScalarType.BFloat16, ElementType.F16 => ScalarType.Float16, _ => null };
        Fill(part, same is null ? checked((int)stored.RowLength * sizeof(float)) : rowBytes, stored.RowLength, same ?? ScalarType.Float32, (row, destination) =>
        {
            long source = order.Length == 0 ? row : order[row];
            if (same is null)
            {
                stored.CopyRow(source, MemoryMarshal.Cast<byte, float>(destination));
                return;
            }

            unsafe
            {
                new ReadOnlySpan<byte>((byte*)stored.Data + (source * rowBytes), rowBytes).CopyTo(destination);
            }
        });
        Report(stored.ByteLength);
    }

    private unsafe void Fill(Tensor part, int rowBytes, long rowElements, ScalarType stagingType, RowReader read)
    {
        long rows = part.shape[0];
        long rowsAtATime = Math.Clamp(StagingBytes / rowBytes, 1, rows);
        using Tensor staging = torch.empty(rowsAtATime, rowElements, dtype: stagingType);
        using Tensor lines = part.view(rows, rowElements);
        byte* start = (byte*)staging.Address();
        for (long first = 0; first < rows; first += rowsAtATime)
        {
            long count = Math.Min(rowsAtATime, rows - first);
            Parallel.For(0, count, _workers, row => read(first + row, new Span<byte>(start + (row * rowBytes), rowBytes)));
            using Tensor from = staging.narrow(0, 0, count);
            using Tensor to = lines.narrow(0, first, count);
            to.copy_(from);
        }
    }

    private T Keep<T>(T made)
        where T : IDisposable
    {
        _made.Add(made);
        return made;
    }

    private void Report(long bytes) => options.Progress?.Report(new ModelLoadProgress(_done += bytes, _total));

    /// <summary>The token table as a head.</summary>
    private sealed class Borrowed(WeightMatrix matrix) : WeightMatrix
    {
        public override long ByteLength => 0;

        public override Tensor Values() => matrix.Values();

        public override void Dispose()
        {
        }
    }
}
