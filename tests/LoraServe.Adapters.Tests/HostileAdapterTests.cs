using System.Text.Json;
using LoraServe.Adapters.Loading;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests;

/// <summary>Damaged and malicious adapters, each one defect away from a valid one.</summary>
public sealed class HostileAdapterTests
{
    private const string Root = "fixtures/hostile";

    public static TheoryData<string, bool> Cases()
    {
        var cases = new TheoryData<string, bool>();
        foreach (string line in File.ReadLines(SharedFiles.TryGet($"{Root}/manifest.jsonl") ?? Repository.Fixture("adapters/hostile/manifest.jsonl")))
        {
            using var entry = JsonDocument.Parse(line);
            if (entry.RootElement.GetProperty("kind").GetString() == "adapter")
            {
                cases.Add(entry.RootElement.GetProperty("file").GetString()!, entry.RootElement.GetProperty("strict").GetBoolean());
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Load_HostileAdapter_IsRefusedByName(string file, bool strict)
    {
        string directory = Path.GetDirectoryName(SharedFiles.TryGet($"{Root}/{file}") ?? Repository.Fixture($"adapters/hostile/{file}"))!;
        PlainModel model = PlainModel.Open(SharedFiles.TryGet($"{Root}/config/valid") ?? Repository.Fixture("adapters/hostile/config/valid"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exception? refusal = Record.Exception(() => AdapterLoader.Load(directory, model));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 << 20);
        Assert.True(refusal is AdapterFormatException, $"{file} (strict: {strict}): {refusal?.ToString() ?? "loaded"}");
        Assert.Contains(directory, refusal!.Message, StringComparison.Ordinal);
    }
}
