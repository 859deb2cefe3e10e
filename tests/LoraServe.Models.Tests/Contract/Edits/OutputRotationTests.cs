using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Block-wise changes of the products of every linear map, in orders of their own, of no bias and of none of the adapter's own products.</summary>
public sealed class OutputRotationTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values)
    {
        foreach (BaseModule module in model.Modules.Where(module => !module.Site.IsTable))
        {
            (int outputs, int inputs) = (module.Outputs, module.Inputs);
            int size = outputs % 4 == 0 && module.Site.Role is SiteRole.Value or SiteRole.Down ? 4 : outputs % 2 == 0 ? 2 : 1;
            int[] order = module.Site.Role is SiteRole.Query or SiteRole.Down or SiteRole.Head ? values.Order(outputs) : [];
            yield return new OutputRotation(module.Site, new BlockRotation(new FloatMatrix(outputs, size, values.Around(0, outputs * size, 0.6f / size)), order));
            switch (module.Site.Role)
            {
                case SiteRole.Query or SiteRole.Down:
                    yield return new LowRank(module.Site, values.Matrix(2, inputs), values.Matrix(outputs, 2, 0.4f), 1.5f);
                    break;
                case SiteRole.Key or SiteRole.Head:
                    yield return new DenseDelta(module.Site, values.Matrix(outputs, inputs, 0.4f));
                    break;
                case SiteRole.Value:
                    yield return new BiasDelta(module.Site, values.Around(0, outputs));
                    break;
                case SiteRole.Output:
                    yield return new InputScale(module.Site, values.Around(1, inputs));
                    break;
            }
        }
    }
}
