using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Summands of every linear map's outputs, one or several, whether or not the base has a bias there.</summary>
public sealed class BiasDeltaTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values)
    {
        foreach (BaseModule module in model.Modules.Where(module => !module.Site.IsTable))
        {
            yield return new BiasDelta(module.Site, values.Around(0, module.Outputs));
            if (module.Site.Role is SiteRole.Query or SiteRole.Down)
            {
                yield return new BiasDelta(module.Site, values.Around(0.2f, module.Outputs));
            }
        }
    }
}
