using LoraServe.Serving.Requests;

namespace LoraServe.Jobs.Rows;

/// <summary>Whether there is room for more rows, and which go for them.</summary>
/// <param name="Gone">What goes, in its order.</param>
/// <param name="Refusal">Why there is no room even so; null where there is.</param>
internal sealed record RoomPlan(IReadOnlyList<(StoredData Data, DataUse Use)> Gone, string? Refusal)
{
    /// <summary>
    /// Makes room. First go rows that no job names, the oldest first; then those that jobs of the same sender, which failed or were cancelled,
    /// could go on with, the oldest first. What jobs need never goes, nor what others could go on with.
    /// </summary>
    /// <param name="bytes">What comes.</param>
    /// <param name="sender">Whose it is.</param>
    /// <param name="stored">What is there.</param>
    /// <param name="most">Bytes that may be there.</param>
    /// <param name="mostOfOne">Bytes that one tenant may have there.</param>
    public static RoomPlan For(long bytes, Principal sender, IEnumerable<(StoredData Data, DataUse Use)> stored, long most, long mostOfOne)
    {
        (StoredData Data, DataUse Use)[] there = [.. stored];
        long all = there.Sum(entry => entry.Data.Bytes);
        long own = there.Where(IsOwn).Sum(entry => entry.Data.Bytes);
        var gone = new List<(StoredData, DataUse)>();
        foreach ((StoredData Data, DataUse Use) entry in there.Where(MayGo).OrderBy(entry => entry.Use).ThenBy(entry => entry.Data.At))
        {
            bool isOverOwn = own + bytes > mostOfOne;
            if (all + bytes <= most && !isOverOwn)
            {
                break;
            }

            if (all + bytes > most || (isOverOwn && IsOwn(entry)))
            {
                gone.Add(entry);
                all -= entry.Data.Bytes;
                own -= IsOwn(entry) ? entry.Data.Bytes : 0;
            }
        }

        if (own + bytes > mostOfOne)
        {
            return new RoomPlan([], $"Rows that jobs of tenant '{sender.Tenant}' need take {own} of its {mostOfOne} bytes, and these would take {bytes}. Wait for jobs to end, or raise LoraServe:Training:MaxStoredBytesPerTenant.");
        }

        return all + bytes > most
            ? new RoomPlan([], $"Rows that jobs need take {all} of {most} bytes, and these would take {bytes}. Wait for jobs to end, or raise LoraServe:Training:MaxStoredBytes.")
            : new RoomPlan(gone, null);

        bool IsOwn((StoredData Data, DataUse Use) entry) => entry.Data.Owner == sender.Tenant;

        bool MayGo((StoredData Data, DataUse Use) entry) => entry.Use == DataUse.None || (entry.Use == DataUse.Kept && IsOwn(entry));
    }
}
