using LoraServe.Fuzz.Seeds;
using LoraServe.Models.Conversion;

namespace LoraServe.Fuzz.Targets;

/// <summary>Importance matrices, in GGUF and the older form.</summary>
internal sealed class ImportanceTarget : FuzzTarget
{
    public override string Name => "importance";

    public override void Read(string folder) => ImportanceFile.Read(Directory.GetFiles(folder).Single());

    protected override IEnumerable<Seed> MakeSeeds() => ImportanceSeeds.All();
}
