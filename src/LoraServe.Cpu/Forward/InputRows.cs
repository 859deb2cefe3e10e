using LoraServe.Adapters.Edits;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Resident;
using LoraServe.Cpu.Weights;
using LoraServe.Models.Forward;

namespace LoraServe.Cpu.Forward;

/// <summary>The rows that enter the first layer: what the tables of tokens and of learned positions give, with the adapters' edits of it, and virtual rows.</summary>
internal static unsafe class InputRows
{
    // Looking up, and what adapters may do to a row, in multiply-adds for each element.
    private const int OperationsPerElement = 4;

    /// <summary>Makes the rows.</summary>
    /// <param name="model">The tables.</param>
    /// <param name="pool">The workers.</param>
    /// <param name="scratch">Where what is needed meanwhile goes.</param>
    /// <param name="batch">The step's tokens.</param>
    /// <param name="x">Gets the rows, [T, D].</param>
    public static void Run(PackedWeights model, WorkerPool pool, ScratchArena scratch, TokenBatch batch, Rows x)
    {
        long operations = (long)x.Count * x.Width * OperationsPerElement;
        RowLoop.Run(pool, x.Count, operations, new TokenKernel(model, batch, x));
        if (model.Positions is not null)
        {
            long mark = scratch.Mark();
            RowLoop.Run(pool, x.Count, operations, new PositionKernel(model, batch, x, scratch.Rent(x.Count, x.Width)));
            scratch.Release(mark);
        }
    }

    /// <summary>Lets adapters edit what a table gave for some rows. What takes the table's place comes first, so that it is what other adapters of a stack edit, wherever it stands there.</summary>
    private static void Edit(Site table, TokenBatch batch, ReadOnlySpan<int> looked, Rows rows, int first, int end)
    {
        foreach (bool replaces in (ReadOnlySpan<bool>)[true, false])
        {
            foreach (EditRun run in batch.All.Runs)
            {
                if (run.Edits.AtTable(table) is { } edit && edit.Replaces == replaces)
                {
                    for (int t = Math.Max(first, run.FirstRow); t < Math.Min(end, run.EndRow); t++)
                    {
                        if (looked[t] >= 0)
                        {
                            edit.Apply(looked[t], run.Weight, batch.All.ScalingsOf(t), rows.Span(t));
                        }
                    }
                }
            }
        }
    }

    private readonly struct TokenKernel(PackedWeights model, TokenBatch batch, Rows x) : IRowKernel
    {
        public void Run(int first, int end)
        {
            for (int t = first; t < end; t++)
            {
                if (batch.Tokens[t] >= 0)
                {
                    model.TokenTable.CopyRow(batch.Tokens[t], x.Span(t));
                }
                else
                {
                    x.Span(t).Clear();
                }
            }

            Edit(Site.Embedding, batch, batch.Tokens, x, first, end);
            foreach (VirtualRow row in batch.VirtualRows)
            {
                if (row.Row >= first && row.Row < end && row.Edits.VirtualEmbeddings != 0)
                {
                    RowArithmetic.Multiply((float*)row.Edits.VirtualEmbeddings + ((long)row.Index * x.Width), row.Weight, x[row.Row], x.Width);
                }
            }

            for (int t = first; t < end && model.Spec.EmbeddingScale != 1; t++)
            {
                RowArithmetic.Multiply(x[t], model.Spec.EmbeddingScale, x[t], x.Width);
            }
        }
    }

    /// <summary>Adds the rows of learned positions to all rows, virtual ones included.</summary>
    private readonly struct PositionKernel(PackedWeights model, TokenBatch batch, Rows x, Rows positions) : IRowKernel
    {
        public void Run(int first, int end)
        {
            for (int t = first; t < end; t++)
            {
                model.Positions!.CopyRow(batch.Positions[t], positions.Span(t));
            }

            Edit(Site.Positions, batch, batch.Positions, positions, first, end);
            for (int t = first; t < end; t++)
            {
                RowArithmetic.Add(positions[t], x[t], x.Width);
            }
        }
    }
}
