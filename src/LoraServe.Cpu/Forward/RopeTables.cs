using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Forward;

/// <summary>Cosines and sines of a batch's rows.</summary>
internal sealed class RopeTables(RopeSpec spec, int headSize)
{
    private readonly float[] _frequencies = new float[headSize / 2];
    private int _length = -1;

    /// <summary>Computes the tables of all rows into scratch: [T, K].</summary>
    public Rows Fill(TokenBatch batch, ScratchArena scratch)
    {
        Rows tables = scratch.Rent(batch.RowCount, headSize);
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

        return tables;
    }
}
