using LoraServe.Cpu;
using LoraServe.Fuzz.Seeds;
using LoraServe.Models;

namespace LoraServe.Fuzz.Targets;

/// <summary>Models' directories whose weights are codes with scales: GPTQ, AWQ, bitsandbytes, FP8.</summary>
internal sealed class PackedModelTarget : FuzzTarget
{
    public override string Name => "packed-model";

    public override void Read(string folder) => ModelLoader.Load(CpuDevice.Instance, folder).Dispose();

    protected override IEnumerable<Seed> MakeSeeds() => PackedSeeds.All();
}
