using System.Diagnostics;
using LoraServe.Fuzz.Mutation;
using LoraServe.Fuzz.Seeds;
using LoraServe.Fuzz.Targets;

namespace LoraServe.Fuzz.Runs;

/// <summary>One case: damaged files, read under the rules.</summary>
internal static class FuzzCase
{
    /// <summary>What a byte of a file may cost besides.</summary>
    private const int AllowedPerByte = 256;

    /// <summary>The files of a number, always the same.</summary>
    public static Seed Make(FuzzTarget target, long number)
    {
        Random random = Chance.Of(number);
        return random.Pick(target.Seeds).Mutate(random, random.Pick(target.Seeds));
    }

    /// <summary>Writes files into an empty folder, lets them be read, and looks at what came of it.</summary>
    public static CaseOutcome Run(FuzzTarget target, Seed files, string folder)
    {
        files.Write(folder);
        long before = GC.GetTotalAllocatedBytes();
        long start = Stopwatch.GetTimestamp();
        Exception? thrown = null;
        try
        {
            target.Read(folder);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            thrown = exception;
        }

        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        long allocated = GC.GetTotalAllocatedBytes() - before;
        long allowed = target.AllowedBytes + (AllowedPerByte * files.Files.Values.Sum(content => content.LongLength));
        string? complaint = thrown is null ? null : Refusals.Complaint(thrown, folder, files);
        return new CaseOutcome(complaint ?? (allocated > allowed ? $"allocated {allocated >> 20} MiB" : null), thrown, allocated, elapsed);
    }
}
