using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>
/// Other maps instead of all of the base's, whatever the weight, with biases and without; a tied head is the table. What other adapters
/// of a stack do is done to them, wherever they stand in it.
/// </summary>
public sealed class WeightReplacementTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values)
    {
        FloatMatrix? table = null;
        foreach (BaseModule module in model.Modules)
        {
            FloatMatrix weight = module.Site == Site.Head && model.TiedHead ? table! : values.Matrix(module.Outputs, module.Inputs);
            table ??= weight;
            bool hasBias = module.Site.Role is SiteRole.Query or SiteRole.Gate or SiteRole.Down;
            yield return new WeightReplacement(module.Site, weight, hasBias ? values.Around(0, module.Outputs) : null);
        }
    }
}
