using LoraServe.Adapters.Edits;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Models.Forward;

/// <summary>An adapter's <see cref="ScalingClassifier"/> in this machine's memory, where it runs whatever the device: it is small, and its rows are few numbers. Immutable.</summary>
public sealed unsafe class RowClassifier : IDisposable
{
    // A fork and join takes as long as some 40,000 multiply-adds.
    private const long WorthSharing = 40_000;

    private readonly ScalingClassifier _edit;
    private readonly PackedMatrix[] _weights;

    /// <summary>Packs its matrices.</summary>
    /// <param name="edit">The classifier.</param>
    internal RowClassifier(ScalingClassifier edit)
    {
        _edit = edit;
        _weights = [.. edit.Layers.Select(layer => PackedMatrix.FromFloats(layer.Weight.Values, layer.Weight.Rows, layer.Weight.Columns))];
        PassScalings = edit.PassValue == 0 ? [] : edit.PassScalings();
    }

    /// <summary>Scalings of a row.</summary>
    public int ScalingCount => _edit.ScalingCount;

    /// <summary>Scalings of each row of the first pass; none where that is the base's.</summary>
    public float[] PassScalings { get; }

    /// <summary>Bytes of its matrices.</summary>
    public long ByteLength => _weights.Sum(weight => weight.ByteLength);

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (PackedMatrix weight in _weights)
        {
            weight.Dispose();
        }
    }

    /// <summary>Makes the rows' scalings. A row's do not depend on the others.</summary>
    /// <param name="pool">The workers.</param>
    /// <param name="scratch">Where they go, and what lies between.</param>
    /// <param name="hidden">Last hidden states after the final norm, [T, D].</param>
    /// <returns>[T, <see cref="ScalingCount"/>].</returns>
    internal Rows Run(WorkerPool pool, ScratchArena scratch, Rows hidden)
    {
        for (int layer = 0; layer < _weights.Length; layer++)
        {
            Rows next = scratch.Rent(hidden.Count, _weights[layer].Outputs);
            var job = new LayerJob(this, layer, hidden, next);
            if ((long)hidden.Count * hidden.Width * next.Width < WorthSharing)
            {
                job.Run(0, 1);
            }
            else
            {
                pool.Run(ref job);
            }

            hidden = next;
        }

        return hidden;
    }

    private readonly struct LayerJob(RowClassifier classifier, int layer, Rows x, Rows y) : IParallelJob
    {
        public void Run(int worker, int workerCount)
        {
            int first = (int)((long)x.Count * worker / workerCount);
            int count = (int)((long)x.Count * (worker + 1) / workerCount) - first;
            MatMul.RunSerial(classifier._weights[layer], x.Slice(first, count), y.Slice(first, count));
            for (int row = first; row < first + count; row++)
            {
                classifier.Finish(layer, y.Span(row));
            }
        }
    }

    private void Finish(int layer, Span<float> row)
    {
        ReadOnlySpan<float> bias = _edit.Layers[layer].Bias;
        bool isLast = layer == _weights.Length - 1;
        for (int i = 0; i < row.Length; i++)
        {
            row[i] = isLast ? row[i] + bias[i] : Math.Max(row[i] + bias[i], 0);
        }

        if (isLast)
        {
            _edit.Finish(row);
        }
    }
}
