using LoraServe.Adapters.Edits;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Models.Forward;

/// <summary>An adapter's <see cref="ScalingClassifier"/> in this machine's memory, where it runs whatever the device: it is small, and its rows are few numbers. Immutable.</summary>
public sealed unsafe class RowClassifier : IDisposable
{
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
            PackedMatrix weight = _weights[layer];
            Rows next = scratch.Rent(hidden.Count, weight.Outputs);
            MatMulInput input = MatMulInput.Prepare(pool, scratch, hidden, [weight]);
            var epilogue = new LayerEpilogue(_edit.Layers[layer].Bias, next, IsHidden: layer < _weights.Length - 1);
            MatMul.Run(pool, input, [weight], [next], ref epilogue);
            hidden = next;
        }

        for (int row = 0; row < hidden.Count; row++)
        {
            _edit.Finish(hidden.Span(row));
        }

        return hidden;
    }

    /// <summary>Adds the bias; of all layers but the last what is negative becomes zero.</summary>
    private readonly record struct LayerEpilogue(float[] Bias, Rows Outputs, bool IsHidden) : IMatMulEpilogue
    {
        public void Apply(int part, int firstColumn, int columnCount)
        {
            ReadOnlySpan<float> bias = Bias.AsSpan(firstColumn, columnCount);
            for (int row = 0; row < Outputs.Count; row++)
            {
                Span<float> values = Outputs.Span(row).Slice(firstColumn, columnCount);
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = IsHidden ? Math.Max(values[i] + bias[i], 0) : values[i] + bias[i];
                }
            }
        }
    }
}
