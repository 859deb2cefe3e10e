using LoraServe.Cpu;
using LoraServe.Fuzz.Seeds;
using LoraServe.Models;

namespace LoraServe.Fuzz.Targets;

/// <summary>GGUF files as models.</summary>
internal sealed class GgufModelTarget : FuzzTarget
{
    public override string Name => "gguf-model";

    public override void Read(string folder) => ModelLoader.Load(CpuDevice.Instance, Path.Combine(folder, GgufSeeds.FileName)).Dispose();

    protected override IEnumerable<Seed> MakeSeeds() => GgufSeeds.Models();
}
