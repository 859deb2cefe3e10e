using System.Collections.Concurrent;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Models;

namespace LoraServe.Cpu.Weights;

/// <summary>Turns a model's tensors into the form that the forward pass reads, several matrices at a time.</summary>
internal sealed class WeightPacker(ModelWeights weights, ModelLoadOptions options)
{
    private readonly ConcurrentDictionary<Site, LinearWeights> _linears = new();

    public PackedWeights Pack()
    {
        // Largest first: with the head last, one thread would pack it while the others wait.
        (Site Site, Tensor Weight, Tensor? Bias)[] jobs = [.. weights.Linears.OrderByDescending(linear => linear.Weight.ByteLength)];
        long total = jobs.Sum(job => job.Weight.ByteLength);
        long done = 0;
        Parallel.ForEach(
            Partitioner.Create(jobs, EnumerablePartitionerOptions.NoBuffering),
            new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, options.Workers) },
            job =>
            {
                _linears[job.Site] = Pack(job.Site, job.Weight, job.Bias);
                options.Progress?.Report(new ModelLoadProgress(Interlocked.Add(ref done, job.Weight.ByteLength), total));
            });
        return new PackedWeights(
            weights.Spec,
            weights.TokenTable,
            weights.Positions,
            [.. weights.Spec.Sites.Linears.Select(site => _linears[site])],
            [.. weights.Spec.Sites.Norms.Select(site => Floats(weights.Norm(site), []))]);
    }

    private LinearWeights Pack(Site site, Tensor weight, Tensor? bias)
    {
        ReadOnlySpan<int> rowOrder = weights.RowOrder(site);
        PackedMatrix matrix = options.RoundsToNf4 && site.Role != SiteRole.Head
            ? PackedMatrix.Pack(RoundToNf4(weight, rowOrder))
            : PackedMatrix.Pack(weight, options.Arithmetic, rowOrder);
        return new LinearWeights(site, matrix, bias is null ? null : Floats(bias.ToFloats(), rowOrder));
    }

    /// <summary>NF4's blocks run over the whole matrix, so rows are brought into Hugging Face's order first.</summary>
    private static Nf4Matrix RoundToNf4(Tensor weight, ReadOnlySpan<int> rowOrder)
    {
        (int rows, int columns) = ((int)weight.Shape[0], (int)weight.Shape[1]);
        float[] values = new float[checked(rows * columns)];
        for (int row = 0; row < rows; row++)
        {
            weight.CopyRow(rowOrder.IsEmpty ? row : rowOrder[row], values.AsSpan(row * columns, columns));
        }

        return Nf4Matrix.Quantize(values, rows, columns);
    }

    private static unsafe NativeBuffer Floats(float[] values, ReadOnlySpan<int> order)
    {
        var buffer = new NativeBuffer(values.Length * sizeof(float));
        float* floats = (float*)buffer.Pointer;
        for (int i = 0; i < values.Length; i++)
        {
            floats[i] = values[order.IsEmpty ? i : order[i]];
        }

        return buffer;
    }
}
