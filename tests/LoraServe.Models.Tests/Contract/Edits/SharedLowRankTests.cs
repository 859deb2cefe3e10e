using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Pairs whose matrices all sites, and both adapters, share: each site uses a corner of them.</summary>
public sealed class SharedLowRankTests : EditContract
{
    private const int Rank = 5;

    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values)
    {
        var same = new EditValues(77);
        BaseModule[] modules = [.. model.Modules.Where(module => !module.Site.IsTable)];
        var a = new SharedMatrix(same.Matrix(Rank, modules.Max(module => module.Inputs) + 3));
        var b = new SharedMatrix(same.Matrix(modules.Max(module => module.Outputs) + 2, Rank));
        return
        [
            .. modules.Select(module => new SharedLowRank(module.Site, a, b, values.Around(0, Rank, 0.7f), values.Around(0.1f, module.Outputs))),

            // An output scale is also of the shared pair's outputs.
            new OutputScale(new Site(1, SiteRole.Output), values.Around(1, model.Width)),
        ];
    }
}
