using System.Text.Json;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Testing;

namespace LoraServe.Adapters.Tests;

/// <summary>Damaged and malicious adapters, each one defect away from a valid one.</summary>
public sealed class HostileAdapterTests
{
    private const string Root = "fixtures/hostile";

    public static TheoryData<string, bool> Cases()
    {
        var cases = new TheoryData<string, bool>();
        if (SharedFiles.TryGet($"{Root}/manifest.jsonl") is { } manifest)
        {
            foreach (string line in File.ReadLines(manifest))
            {
                using var entry = JsonDocument.Parse(line);
                if (entry.RootElement.GetProperty("kind").GetString() == "adapter")
                {
                    cases.Add(entry.RootElement.GetProperty("file").GetString()!, entry.RootElement.GetProperty("strict").GetBoolean());
                }
            }
        }

        if (cases.Count == 0)
        {
            cases.Add("adapter", true);
        }

        return cases;
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Load_HostileAdapter_IsRefusedByName(string file, bool strict)
    {
        string directory = Path.GetDirectoryName(SharedFiles.Require($"{Root}/{file}"))!;
        FileBaseModel model = FileBaseModel.Open(SharedFiles.Require($"{Root}/config/valid"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exception? refusal = Record.Exception(() => AdapterLoader.Load(directory, model));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 << 20);
        Assert.True(refusal is AdapterFormatException, $"{file} (strict: {strict}): {refusal?.ToString() ?? "loaded"}");
        Assert.Contains(directory, refusal!.Message, StringComparison.Ordinal);
    }
}
