using LoraServe.Cpu;
using LoraServe.Fuzz.Seeds;
using LoraServe.Models;
using LoraServe.Testing;

namespace LoraServe.Fuzz.Targets;

/// <summary>Models' directories as transformers writes them.</summary>
internal sealed class ModelTarget : FuzzTarget
{
    public override string Name => "model";

    public override void Read(string folder) => ModelLoader.Load(CpuDevice.Instance, folder).Dispose();

    protected override IEnumerable<Seed> MakeSeeds() => ((string?[])[Repository.Fixture("models"), Repository.Fixture("adapters/hostile/config"), SharedFiles.TryGet("fixtures/models")])
        .SelectMany(folder => Seed.Folders(folder, name => name != "config.alt.json" && Seed.IsRead(name)));
}
