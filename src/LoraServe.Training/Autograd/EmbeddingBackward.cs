using LoraServe.Adapters.Resident;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;

namespace LoraServe.Training.Autograd;

/// <summary>The way back from the rows that enter the first layer to the adapters' edits of them.</summary>
internal static unsafe class EmbeddingBackward
{
    /// <summary>Adds the derivatives by virtual tokens.</summary>
    /// <param name="batch">The step's tokens.</param>
    /// <param name="dx">Derivative by the rows, [T, D].</param>
    /// <param name="trained">Where derivatives by edits go, for the adapters that are trained.</param>
    public static void Run(TokenBatch batch, Rows dx, IReadOnlyDictionary<ResidentAdapter, EditGradients> trained)
    {
        foreach (EditRun run in batch.All.Runs)
        {
            if (trained.TryGetValue(run.Adapter, out EditGradients? gradients) && gradients.VirtualEmbeddings is { } virtualRows)
            {
                for (int t = run.FirstRow; t < run.EndRow; t++)
                {
                    if (batch.Tokens[t] < 0)
                    {
                        RowArithmetic.AddScaled(dx[t], run.Weight, virtualRows.Rows[-1 - batch.Tokens[t]], dx.Width);
                    }
                }
            }
        }
    }
}
