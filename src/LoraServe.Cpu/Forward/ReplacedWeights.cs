using LoraServe.Adapters.Edits;
using LoraServe.Cpu.Resident;
using LoraServe.Models.Forward;

namespace LoraServe.Cpu.Forward;

/// <summary>Which rows an adapter has a linear map of its own for, instead of the base's.</summary>
internal static class ReplacedWeights
{
    /// <summary>The edit that replaces a map for a row; null where the base's counts.</summary>
    /// <param name="runs">The adapters that act on the rows.</param>
    /// <param name="site">The map.</param>
    /// <param name="row">The row.</param>
    /// <param name="end">Becomes less where rows from <paramref name="row"/> on up to it have something else.</param>
    public static LinearEdit? At(ReadOnlySpan<EditRun> runs, Site site, int row, ref int end)
    {
        LinearEdit? found = null;
        foreach (ref readonly EditRun run in runs)
        {
            if (run.EndRow > row && run.Edits.At(site) is { Replacement: not null } edit)
            {
                bool isHere = run.FirstRow <= row;
                found = isHere ? edit : found;
                end = Math.Min(end, isHere ? run.EndRow : run.FirstRow);
            }
        }

        return found;
    }
}
