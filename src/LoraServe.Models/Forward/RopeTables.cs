using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Forward;

/// <summary>Cosines and sines of a batch's rows, which every device has from here.</summary>
/// <param name="spec">The rotation.</param>
/// <param name="headSize">Elements of a head.</param>
public sealed class RopeTables(RopeSpec spec, int headSize)
{
    private readonly float[] _frequencies = new float[spec.Turned(headSize) / 2];
    private int _length = -1;

    /// <summary>Elements of a head that are turned, K, which is the width of a table.</summary>
    public int Width => _frequencies.Length * 2;

    /// <summary>Computes the tables of all rows.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="tables">[T, K]: a row's cosines, then its sines.</param>
    public void Fill(TokenBatch batch, Rows tables)
    {
        ArgumentNullException.ThrowIfNull(batch);
        for (int t = 0; t < batch.RowCount; t++)
        {
            int length = batch.RopeLengths[t];
            if (_length < 0 || (spec.DependsOnLength && length != _length))
            {
                spec.InverseFrequencies(length, _frequencies);
                _length = length;
            }

            Rope.Fill(batch.Positions[t], _frequencies, spec.AttentionFactor, tables.Span(t));
        }
    }
}
