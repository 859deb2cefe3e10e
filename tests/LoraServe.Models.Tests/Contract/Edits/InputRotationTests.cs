using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Block-wise changes of the inputs of some maps, several one after another and in orders of their own.</summary>
public sealed class InputRotationTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values)
    {
        foreach (BaseModule module in model.Modules.Where(module => module.Site.Role is SiteRole.Query or SiteRole.Value or SiteRole.Output or SiteRole.Gate or SiteRole.Down or SiteRole.Head))
        {
            int inputs = module.Inputs;
            yield return new InputRotation(module.Site, module.Site.Role is SiteRole.Value or SiteRole.Gate
                ? [Factor(4, [])]
                : [Factor(4, []), Factor(2, values.Order(inputs)), Factor(inputs, [])]);

            BlockRotation Factor(int size, int[] order) => new(new FloatMatrix(inputs, size, values.Around(0, inputs * size, 0.6f / size)), order);
        }

        // The pair's input is not rotated; the scale sees what the rotated input gives.
        BaseModule output = model.Modules.First(module => module.Site == new Site(1, SiteRole.Output));
        yield return new LowRank(output.Site, values.Matrix(2, output.Inputs), values.Matrix(output.Outputs, 2), 0.5f);
        yield return new OutputScale(new Site(0, SiteRole.Output), values.Around(1, output.Outputs));
    }
}
