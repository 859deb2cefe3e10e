using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Fuzz.Seeds;

namespace LoraServe.Fuzz.Targets;

/// <summary>GGUF files, whatever they are for.</summary>
internal sealed class GgufTarget : FuzzTarget
{
    public override string Name => "gguf";

    public override void Read(string folder)
    {
        using GgufFile file = GgufFile.Open(Path.Combine(folder, GgufSeeds.FileName));
        foreach (string key in file.Metadata.Keys)
        {
            _ = file.Metadata.Entry(key);
        }

        foreach (Tensor tensor in file.Tensors.Values)
        {
            tensor.ToFloats();
        }
    }

    protected override IEnumerable<Seed> MakeSeeds() => [.. GgufSeeds.Models(), .. GgufSeeds.Adapters(), .. GgufSeeds.Tokenizers()];
}
