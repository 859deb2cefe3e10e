using LoraServe.Fuzz.Seeds;
using LoraServe.Serving.Store.Names;

namespace LoraServe.Fuzz.Targets;

/// <summary>The list of adapters' names that a server keeps: what is damaged is set aside, and nothing is thrown but of newer servers' lists.</summary>
internal sealed class NamesTarget : FuzzTarget
{
    private const string FileName = "adapters.json";

    public override string Name => "names";

    public override void Read(string folder)
    {
        var file = new NamesFile(folder, TimeProvider.System);
        NamesList list = file.Load((_, path) => path);
        file.Save(list.Names);
        if (list.Faults is [var fault, ..])
        {
            throw new InvalidDataException($"{FileName}: {fault}");
        }
    }

    protected override IEnumerable<Seed> MakeSeeds() => [Seed.Of("names", FileName, StoreSeeds.Names())];
}
