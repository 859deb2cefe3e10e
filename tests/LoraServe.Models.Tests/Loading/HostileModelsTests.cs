using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Loading;

public class HostileModelsTests
{
    private const long AllocationLimit = 64 << 20;

    public static TheoryData<string, string, bool> Configs => Cases("config");

    public static TheoryData<string, string, bool> Gguf => Cases("gguf");

    [SkippableTheory]
    [MemberData(nameof(Configs))]
    public void Load_HostileDirectory_IsRefused(string file, string kind, bool strict)
    {
        string path = SharedFiles.Require($"fixtures/hostile/{file}");
        Check(Path.GetDirectoryName(path)!, kind, strict);
    }

    [SkippableTheory]
    [MemberData(nameof(Gguf))]
    public void Load_HostileGguf_IsRefused(string file, string kind, bool strict) =>
        Check(SharedFiles.Require($"fixtures/hostile/{file}"), kind, strict);

    private static void Check(string path, string kind, bool strict)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exception? error = Record.Exception(() => ModelLoader.Load(path).Dispose());
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < AllocationLimit);
        if (kind == "valid")
        {
            Assert.Null(error);
        }
        else if (strict || error is not null)
        {
            Assert.NotNull(error);
            Assert.True(error is ModelFormatException or TensorFileException, error.ToString());
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }
    }

    private static TheoryData<string, string, bool> Cases(string folder)
    {
        var cases = new TheoryData<string, string, bool>();
        if (SharedFiles.TryGet("fixtures/hostile/manifest.jsonl") is not { } manifest)
        {
            cases.Add("manifest.jsonl", "missing", false);
            return cases;
        }

        foreach (string line in File.ReadLines(manifest))
        {
            using var row = JsonDocument.Parse(line);
            string file = row.RootElement.GetProperty("file").GetString()!;
            if (file.StartsWith(folder + "/", StringComparison.Ordinal))
            {
                cases.Add(file, row.RootElement.GetProperty("kind").GetString()!, row.RootElement.GetProperty("strict").GetBoolean());
            }
        }

        return cases;
    }
}
