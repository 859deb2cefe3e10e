using System.Runtime.InteropServices;
using LoraServe.Fuzz.Seeds;
using LoraServe.Fuzz.Targets;
using LoraServe.Testing;
using SharpFuzz;
using SharpFuzz.Common;

namespace LoraServe.Fuzz.Runs;

/// <summary>What afl-fuzz drives: one file of a seed is what it gives, the others are as they should be.</summary>
internal static class CoverageRun
{
    private const int PlaceCount = 1 << 16;

    /// <summary>Writes the file of every seed that has it, for afl-fuzz to begin with.</summary>
    public static void WriteCorpus(FuzzTarget target, string file, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (Seed seed in target.Seeds.Where(seed => seed.Files.ContainsKey(file)))
        {
            File.WriteAllBytes(Path.Combine(folder, seed.Name), seed.Files[file]);
        }
    }

    /// <summary>Reads what afl-fuzz gives, until it gives no more. A broken rule is a crash.</summary>
    public static unsafe void Execute(FuzzTarget target, string seedName, string file)
    {
        // Instrumented code notes where it passes, also before there is anybody who wants to know: while seeds are made.
        Trace.SharedMem = (byte*)NativeMemory.AllocZeroed(PlaceCount);
        Seed seed = target.Seeds.FirstOrDefault(seed => seed.Name == seedName && seed.Files.ContainsKey(file))
            ?? throw new ArgumentException($"{target.Name} has no seed '{seedName}' with a file {file}; it has {string.Join(", ", target.Seeds.Select(seed => seed.Name))}.");
        using var folder = new TemporaryDirectory();
        Fuzzer.OutOfProcess.Run(input =>
        {
            using var content = new MemoryStream();
            input.CopyTo(content);
            string own = folder.File("case");
            Directory.CreateDirectory(own);
            CaseOutcome outcome = FuzzCase.Run(target, seed with { Files = seed.Files.SetItem(file, content.ToArray()) }, own);
            Directory.Delete(own, recursive: true);
            if (outcome.Complaint is { } complaint)
            {
                throw new InvalidOperationException(complaint, outcome.Thrown);
            }
        });
    }
}
