using System.Runtime.InteropServices;
using LoraServe.Models.Forward;

namespace LoraServe.Torch.Forward;

/// <summary>Adjacent rows that the same adapters act on.</summary>
/// <param name="First">The first row.</param>
/// <param name="Count">Number of rows.</param>
/// <param name="Runs">What acts on them, by ascending depth; none for the base alone.</param>
internal sealed record RowRange(int First, int Count, EditRun[] Runs)
{
    /// <summary>Cuts a group's rows where an adapter begins or ends to act.</summary>
    public static RowRange[] Of(RowGroup rows)
    {
        ReadOnlySpan<EditRun> runs = rows.Runs;
        var cuts = new SortedSet<int> { 0, rows.Count };
        foreach (EditRun run in runs)
        {
            cuts.Add(run.FirstRow);
            cuts.Add(run.EndRow);
        }

        var ranges = new List<RowRange>();
        var covering = new List<EditRun>();
        int first = 0;
        foreach (int end in cuts.Skip(1))
        {
            covering.Clear();
            foreach (EditRun run in runs)
            {
                if (run.FirstRow <= first && run.EndRow >= end)
                {
                    covering.Add(run);
                }
            }

            ranges.Add(new RowRange(first, end - first, CollectionsMarshal.AsSpan(covering).ToArray()));
            first = end;
        }

        return [.. ranges];
    }
}
