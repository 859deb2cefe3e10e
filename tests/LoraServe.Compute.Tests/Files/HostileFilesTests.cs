using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Testing;

namespace LoraServe.Compute.Tests.Files;

public class HostileFilesTests
{
    private const long AllocationLimit = 64 << 20;

    public static TheoryData<string, string, bool> Safetensors => Cases("safetensors");

    /// <summary>The defects that are in the file itself, not in what a model needs of it.</summary>
    public static TheoryData<string, string, bool> Gguf => Cases("gguf");

    [SkippableTheory]
    [MemberData(nameof(Safetensors))]
    public void Open_HostileSafetensors_RefusesOrControlLoads(string file, string kind, bool strict) =>
        Check(path => SafetensorsFile.Open(path).Dispose(), file, kind, strict);

    [SkippableTheory]
    [MemberData(nameof(Gguf))]
    public void Open_HostileGguf_RefusesOrLoads(string file, string kind, bool strict) =>
        Check(path => GgufFile.Open(path).Dispose(), file, kind, strict: strict && kind == "valid");

    private static void Check(Action<string> open, string file, string kind, bool strict)
    {
        string path = SharedFiles.Require($"fixtures/hostile/{file}");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exception? error = Record.Exception(() => open(path));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < AllocationLimit);
        if (kind == "valid")
        {
            Assert.Null(error);
        }
        else if (strict || error is not null)
        {
            Assert.Contains(path, Assert.IsType<TensorFileException>(error).Message, StringComparison.Ordinal);
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
