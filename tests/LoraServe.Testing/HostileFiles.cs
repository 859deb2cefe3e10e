using System.Text.Json;
using Xunit;

namespace LoraServe.Testing;

/// <summary>The hostile files of the shared folder, each one defect away from a valid one, and the valid controls.</summary>
public static class HostileFiles
{
    private const string Folder = "fixtures/hostile";
    private const string Manifest = Folder + "/manifest.jsonl";
    private const long AllocationLimit = 64 << 20;

    /// <summary>File (relative to the folder), kind, and whether it must be refused, of the files below <paramref name="subfolder"/>.</summary>
    /// <remarks>Where the shared folder is missing, one case that <see cref="Require"/> skips.</remarks>
    public static TheoryData<string, string, bool> In(string subfolder)
    {
        var cases = new TheoryData<string, string, bool>();
        if (SharedFiles.TryGet(Manifest) is not { } manifest)
        {
            cases.Add(subfolder, "missing", false);
            return cases;
        }

        foreach (string line in File.ReadLines(manifest))
        {
            using var row = JsonDocument.Parse(line);
            string file = row.RootElement.GetProperty("file").GetString()!;
            if (file.StartsWith(subfolder + "/", StringComparison.Ordinal))
            {
                cases.Add(file, row.RootElement.GetProperty("kind").GetString()!, row.RootElement.GetProperty("strict").GetBoolean());
            }
        }

        return cases;
    }

    /// <summary>The full path of a hostile file; skips the calling test where it is missing.</summary>
    public static string Require(string file) => SharedFiles.Require($"{Folder}/{file}");

    /// <summary>Loads what <paramref name="load"/> loads and checks that little was allocated for it.</summary>
    /// <returns>What it threw, or null.</returns>
    public static Exception? Load(Action load)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exception? error = Record.Exception(load);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return allocated < AllocationLimit ? error : throw new InvalidOperationException($"{allocated} bytes were allocated; at most {AllocationLimit} are justified", error);
    }
}
