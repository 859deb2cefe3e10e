namespace LoraServe.Testing;

/// <summary>What a piece of work allocates on the managed heap.</summary>
public static class Allocations
{
    private const int Rounds = 4;

    /// <summary>The bytes that the caller's thread allocates in each run of what is warm.</summary>
    /// <remarks>
    /// A collection that other threads bring about takes the rest of a thread's allotment, which the runtime then counts as its allocation. Work that
    /// allocates does so each time; so the least of several runs is taken.
    /// </remarks>
    public static long OfEach(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        work();
        long least = long.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
