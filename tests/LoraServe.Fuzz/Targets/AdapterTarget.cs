using LoraServe.Adapters;
using LoraServe.Adapters.Folding;
using LoraServe.Adapters.Loading;
using LoraServe.Fuzz.Seeds;
using LoraServe.Models.Text;

namespace LoraServe.Fuzz.Targets;

/// <summary>Adapters' directories of every method.</summary>
/// <param name="name">The target's name.</param>
/// <param name="makeBase">Makes the base that they are for.</param>
/// <param name="makeSeeds">Makes the seeds.</param>
internal sealed class AdapterTarget(string name, Func<IBaseModel> makeBase, Func<IEnumerable<Seed>> makeSeeds) : FuzzTarget
{
    private readonly Lazy<IBaseModel> _model = new(makeBase);

    public override string Name => name;

    /// <summary>Adapters that PEFT, AdapterHub and mlx-lm wrote, each a folder of the shared files.</summary>
    public static IEnumerable<Seed> SeedsIn(string folder) => Seed.Folders(folder, Seed.IsRead);

    public override void Read(string folder)
    {
        _ = AdapterInspection.Read(folder).ParameterCount;
        _ = ModelText.ReadAdapter(folder, folder);
        Adapter adapter = AdapterLoader.Load(folder, _model.Value);
        _ = SiteEdits.Of(adapter.Edits, _model.Value);
    }

    protected override IEnumerable<Seed> MakeSeeds() => makeSeeds();
}
