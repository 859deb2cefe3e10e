using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Scales of the outputs of every module, alone and over the adapter's own products, and of no bias.</summary>
public sealed class OutputScaleTests : EditContract
{
    internal override IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values)
    {
        foreach (BaseModule module in model.Modules.Where(module => module.Site != Site.Positions))
        {
            bool isTable = module.Site.IsTable;
            (int outputs, int inputs) = isTable ? (module.Inputs, module.Outputs) : (module.Outputs, module.Inputs);
            yield return new OutputScale(module.Site, values.Around(0.9f, outputs));
            switch (module.Site.Role)
            {
                case SiteRole.Query or SiteRole.Down or SiteRole.Embedding:
                    yield return new LowRank(module.Site, values.Matrix(2, inputs), values.Matrix(outputs, 2, 0.4f), 1.5f);
                    break;
                case SiteRole.Key or SiteRole.Head:
                    yield return new DenseDelta(module.Site, values.Matrix(outputs, inputs, 0.4f));
                    break;
                case SiteRole.Value:
                    yield return new BiasDelta(module.Site, values.Around(0, outputs));
                    break;
            }
        }
    }
}
