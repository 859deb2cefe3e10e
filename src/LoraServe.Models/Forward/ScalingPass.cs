using System.Runtime.InteropServices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Models.Forward;

/// <summary>What lies between the two passes of a step whose adapters have classifiers: hidden states of the first become scalings for the second. A runner's own.</summary>
/// <param name="pool">The workers.</param>
public sealed class ScalingPass(WorkerPool pool) : IDisposable
{
    private readonly ScratchArena _scratch = new();

    /// <summary>Gives the batch's rows their scalings.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="hidden">Last hidden states of the rows of <see cref="TokenBatch.Scouts"/>, after the final norm, [T, D].</param>
    public void Fill(TokenBatch batch, Rows hidden)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ReadOnlySpan<TokenBatch.Scouted> scouted = CollectionsMarshal.AsSpan(batch.ScoutedSegments);
        int first = 0;
        for (int i = 0, next; i < scouted.Length; i = next)
        {
            // One reading of the matrices for all adjacent segments of an adapter.
            int count = 0;
            for (next = i; next < scouted.Length && ReferenceEquals(scouted[next].Classifier, scouted[i].Classifier); next++)
            {
                count += scouted[next].RowCount;
            }

            _scratch.Reset();
            Rows scalings = scouted[i].Classifier.Run(pool, _scratch, hidden.Slice(first, count));
            int row = 0;
            foreach (TokenBatch.Scouted segment in scouted[i..next])
            {
                for (int t = 0; t < segment.RowCount; t++, row++)
                {
                    batch.Scalings.Set(segment.FirstRow + t, scalings.Span(row));
                }
            }

            first += count;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _scratch.Dispose();
}
