using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Fuzz.Seeds;
using LoraServe.Testing;

namespace LoraServe.Fuzz.Targets;

/// <summary>safetensors files, whatever they are for.</summary>
internal sealed class SafetensorsTarget : FuzzTarget
{
    private const string FileName = "model.safetensors";

    public override string Name => "safetensors";

    public override void Read(string folder)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, FileName));
        foreach (Tensor tensor in file.Tensors.Values)
        {
            tensor.ToFloats();
        }
    }

    protected override IEnumerable<Seed> MakeSeeds() =>
    [
        Seed.Of("tiny", FileName, File.ReadAllBytes(Repository.Fixture("files/tiny.safetensors"))),
        Seed.Of("adapter", FileName, File.ReadAllBytes(Repository.Fixture("adapters/hostile/adapter/valid/adapter_model.safetensors"))),
        .. Seed.Each(SharedFiles.TryGet("fixtures/quant"), "*.safetensors", FileName),
    ];
}
