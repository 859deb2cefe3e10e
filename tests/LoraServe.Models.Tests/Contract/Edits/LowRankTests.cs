using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Low-rank pairs at every linear map: one or several, of any rank, one of none.</summary>
public sealed class LowRankTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values)
    {
        foreach (BaseModule module in model.Modules.Where(module => !module.Site.IsTable))
        {
            int rank = 1 + values.Next(4);
            yield return Pair(rank, 0.7f);
            if (module.Site.Role is SiteRole.Key or SiteRole.Down or SiteRole.Head)
            {
                yield return Pair(2, -0.4f);
            }

            LowRank Pair(int rank, float scale) => new(module.Site, values.Matrix(rank, module.Inputs), values.Matrix(module.Outputs, rank, 0.5f), scale);
        }
    }
}
