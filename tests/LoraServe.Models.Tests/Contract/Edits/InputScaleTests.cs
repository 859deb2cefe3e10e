using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Scales of the inputs of some maps, which other maps of the same input do not see.</summary>
public sealed class InputScaleTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values)
    {
        foreach (BaseModule module in model.Modules.Where(module => module.Site.Role is SiteRole.Query or SiteRole.Value or SiteRole.Output or SiteRole.Up or SiteRole.Down or SiteRole.Head))
        {
            yield return new InputScale(module.Site, values.Around(1.1f, module.Inputs));
        }

        // The pair's input is not scaled.
        BaseModule up = model.Modules.First(module => module.Site is { Layer: 0, Role: SiteRole.Up or SiteRole.GateUp or SiteRole.ExpertUp });
        yield return new LowRank(up.Site, values.Matrix(2, model.Width), values.Matrix(up.Outputs, 2), 0.5f);
    }
}
