using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Cpu.Resident;
using LoraServe.Models.Forward;

namespace LoraServe.Cpu.Backward;

/// <summary>The way back from the rows that enter the first layer to the adapters' edits of them.</summary>
internal static unsafe class EmbeddingBackward
{
    /// <summary>Adds the derivatives by virtual tokens.</summary>
    /// <param name="batch">The step's tokens.</param>
    /// <param name="dx">Derivative by the rows that the tokens' rows of the table are in the place of, [T, D].</param>
    /// <param name="trained">Where derivatives by edits go, for the adapters that are trained.</param>
    public static void RunVirtual(TokenBatch batch, Rows dx, IReadOnlyDictionary<ResidentAdapter, EditGradients> trained)
    {
        foreach (VirtualRow row in batch.VirtualRows)
        {
            if (trained.TryGetValue(row.Adapter, out EditGradients? gradients) && gradients.VirtualEmbeddings is { } virtualRows)
            {
                RowArithmetic.AddScaled(dx[row.Row], row.Weight, virtualRows.Rows[row.Index], dx.Width);
            }
        }
    }

    /// <summary>Adds the derivatives by edits of a table.</summary>
    /// <param name="table">Which.</param>
    /// <param name="batch">The step's tokens.</param>
    /// <param name="dx">Derivative by the rows that were looked up there, [T, D].</param>
    /// <param name="trained">Where derivatives by edits go, for the adapters that are trained.</param>
    public static void Run(Site table, TokenBatch batch, Rows dx, IReadOnlyDictionary<ResidentAdapter, EditGradients> trained)
    {
        foreach (EditRun run in batch.All.Runs)
        {
            if (trained.TryGetValue(run.Adapter, out EditGradients? gradients) && gradients.AtTable(table) is { } gradient)
            {
                ReadOnlySpan<int> looked = table == Site.Embedding ? batch.Tokens : batch.Positions;
                for (int t = run.FirstRow; t < run.EndRow; t++)
                {
                    if (looked[t] >= 0)
                    {
                        Add(run.Edits.AtTable(table)!, gradient, looked[t], run.Weight, dx[t]);
                    }
                }
            }
        }
    }

    private static void Add(TableEdit edit, TableGradient gradient, int token, float weight, float* dx)
    {
        for (int k = 0; k < edit.Rank; k++)
        {
            float* direction = (float*)edit.Directions + ((long)k * edit.Width);
            float sum = 0;
            for (int i = 0; i < edit.Width; i++)
            {
                sum += direction[i] * dx[i];
            }

            gradient.Codes!.Rows[token][k] += weight * sum;
            RowArithmetic.AddScaled(dx, weight * ((float*)edit.Codes)[((long)token * edit.Rank) + k], gradient.Directions!.Rows[k], edit.Width);
        }

        if (gradient.Replacement is { } replacement)
        {
            RowArithmetic.Add(dx, replacement.Rows[token], edit.Width);
        }

        if (gradient.Table is { } table)
        {
            RowArithmetic.AddScaled(dx, weight, table.Rows[token], edit.Width);
        }

        int place = gradient.RowDeltas is null ? -1 : edit.RowIds.BinarySearch(token);
        if (place >= 0)
        {
            RowArithmetic.AddScaled(dx, weight, gradient.RowDeltas!.Rows[place], edit.Width);
        }
    }
}
