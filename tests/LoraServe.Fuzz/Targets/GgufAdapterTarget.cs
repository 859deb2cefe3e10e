using LoraServe.Adapters.Loading;
using LoraServe.Fuzz.Seeds;
using LoraServe.Models.Text;

namespace LoraServe.Fuzz.Targets;

/// <summary>GGUF files as adapters.</summary>
internal sealed class GgufAdapterTarget : FuzzTarget
{
    public override string Name => "gguf-adapter";

    public override void Read(string folder)
    {
        string path = Path.Combine(folder, GgufSeeds.FileName);
        _ = AdapterInspection.Read(path).ParameterCount;
        _ = ModelText.ReadAdapter(path, path);
        _ = AdapterLoader.Load(path, MethodSeeds.Base);
    }

    protected override IEnumerable<Seed> MakeSeeds() => GgufSeeds.Adapters();
}
