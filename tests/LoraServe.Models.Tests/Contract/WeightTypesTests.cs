using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Tests.Contract;

/// <summary>A model's weights on a device: of every type of storage they are what their files say.</summary>
public sealed class WeightTypesTests
{
    private static readonly TransformerSpec s_spec = ContractCases.Spec with { Width = 64, HeadSize = 16, FeedForwardWidth = 96 };

    private static readonly TransformerSpec s_wideSpec = s_spec with { Width = 256, HeadSize = 64, FeedForwardWidth = 256 };

    private static readonly ElementType[] s_types = [ElementType.F32, .. ElementTypes.Weights.Where(type => type.BlockElements() > 1)];

    public static TheoryData<string, string> Types => ContractCases.Over(s_types.Select(type => type.ToString()));

    [SkippableTheory]
    [MemberData(nameof(Types))]
    public void Forward_InExactArithmetic_GivesThePlainLogitsOfTheStoredValues(string device, string type)
    {
        using var model = Create(device, Enum.Parse<ElementType>(type));
        ForwardContract.CheckBase(model);
        BackwardContract.Check(model, TrainingCase.Named("ragged"), OtherEdits.Below);
    }

    [SkippableTheory]
    [MemberData(nameof(Types))]
    public void CopyWeightRowBiasAndNorm_OfEveryPlace_GiveTheStoredValues(string device, string type)
    {
        using var model = Create(device, Enum.Parse<ElementType>(type));
        foreach (BaseModule module in model.Plain.Modules)
        {
            float[] expected = new float[module.Inputs];
            float[] actual = new float[module.Inputs];
            for (int row = 0; row < module.Outputs; row++)
            {
                model.Plain.CopyWeightRow(module.Site, row, expected);
                model.OnDevice.CopyWeightRow(module.Site, row, actual);
                Assert.Equal(expected, actual);
            }

            if (!module.Site.IsTable)
            {
                (expected, actual) = (new float[module.Outputs], new float[module.Outputs]);
                Array.Fill(actual, 7);
                model.Plain.CopyBias(module.Site, expected);
                model.OnDevice.CopyBias(module.Site, actual);
                Assert.Equal(expected, actual);
            }
        }

        foreach (BaseNorm norm in model.Plain.Norms)
        {
            (float[] expected, float[] actual) = (new float[norm.Width], new float[norm.Width]);
            model.Plain.CopyNorm(norm.Site, expected);
            model.OnDevice.CopyNorm(norm.Site, actual);
            Assert.Equal(expected, actual);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Types))]
    public void Multiply_EveryMap_GivesTheProductWithoutTheBias(string device, string type)
    {
        using var model = Create(device, Enum.Parse<ElementType>(type));
        foreach (BaseModule module in model.Plain.Modules.Where(module => !module.Site.IsTable))
        {
            FloatMatrix x = new EditValues(3).Matrix(5, module.Inputs);
            var expected = new FloatMatrix(5, module.Outputs);
            var actual = new FloatMatrix(5, module.Outputs);
            ((IBaseModel)model.Plain).Multiply(module.Site, x, expected);
            model.OnDevice.Multiply(module.Site, x, actual);
            model.AssertClose([.. Rows(expected).Select(row => Array.ConvertAll(row, value => (double)value))], [.. Rows(actual)], $"{module.Site}");
        }

        static IEnumerable<float[]> Rows(FloatMatrix matrix) => Enumerable.Range(0, matrix.Rows).Select(row => matrix.Row(row).ToArray());
    }

    private static ContractModel Create(string device, ElementType type) => new(device, type.BlockElements() > s_spec.Width ? s_wideSpec : s_spec, type);
}
