using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract;

/// <summary>Edits that a test's class is about, for a model.</summary>
internal delegate IEnumerable<AdapterEdit> EditKind(PlainModel model, EditValues values);

/// <summary>Edits that go beside those under test.</summary>
internal static class OtherEdits
{
    /// <summary>Low-rank pairs of every module, output scales and biases, norms.</summary>
    public static IEnumerable<AdapterEdit> All(PlainModel model, EditValues values)
    {
        foreach (BaseModule module in model.Modules)
        {
            bool isTable = module.Site == Site.Embedding;
            (int outputs, int inputs) = isTable ? (module.Inputs, module.Outputs) : (module.Outputs, module.Inputs);
            yield return new LowRank(module.Site, values.Matrix(2, inputs), values.Matrix(outputs, 2, 0.3f), 0.5f);
            if (!isTable)
            {
                yield return new OutputScale(module.Site, values.Around(1, outputs, 0.2f));
                yield return new BiasDelta(module.Site, values.Around(0, outputs, 0.2f));
            }
        }

        foreach (BaseNorm norm in model.Norms)
        {
            yield return new NormDelta(norm.Site, values.Around(0, norm.Width, 0.2f));
        }
    }
}
