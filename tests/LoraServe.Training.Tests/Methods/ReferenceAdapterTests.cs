using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Compute;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Training.Tests.Methods;

/// <summary>Adapters that PEFT and AdapterHub saved can be trained on: they begin as what the server makes of the same files, bit for bit.</summary>
public sealed class ReferenceAdapterTests
{
    private const string Folder = "fixtures/peft";
    private static readonly int[] s_probe = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];

    public static TheoryData<string> Cases =>
    [
        .. SharedFiles.Cases(
            new[] { "llama", "qwen2" }.SelectMany(model => SharedFiles.FolderNames($"{Folder}/{model}").Select(name => $"{model}/{name}"))
                .Where(name => SharedFiles.TryGet($"{Folder}/{name}/adapter_config.json") is not null)),
    ];

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Load_ReferencesAdapter_BeginsAsWhatIsServed(string name)
    {
        string directory = SharedFiles.Require($"{Folder}/{name}");
        using LoadedModel loaded = ModelLoader.Load(CpuDevice.Instance, SharedFiles.Require($"{Folder}/bases/{name.Split('/')[0]}"), new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        Transformer model = loaded.Transformer;
        TrainableAdapter? adapter = null;
        try
        {
            adapter = MethodTable.Create(JsonNode.Parse(File.ReadAllText(Path.Combine(directory, "adapter_config.json")))!.AsObject(), model, new TrainableOptions());
            adapter.Load(directory);
        }
        catch (AdapterFormatException refused)
        {
            Skip.If(true, refused.Message);
        }

        using ResidentAdapter trained = model.Place(adapter!.Edits());
        using ResidentAdapter served = model.Place(AdapterLoader.Load(directory, model));

        Assert.Equal(Logits(model, served), Logits(model, trained));
    }

    private static float[] Logits(Transformer model, ResidentAdapter adapter)
    {
        using var pool = new WorkerPool(1);
        using var sequence = new SingleSequence(model, pool, s_probe.Length, adapter);
        sequence.Begin(s_probe);
        Rows logits = sequence.Advance(s_probe, SegmentOutput.AllLogits);
        return [.. Enumerable.Range(0, logits.Count).SelectMany(row => logits.Span(row).ToArray())];
    }
}
