using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Operations;

/// <summary>What a sublayer adds to the residual stream: with a norm before it is added and without, and what adapters make of it.</summary>
public sealed class AddLinearTests
{
    private static readonly Dictionary<string, TransformerSpec> s_cases = new()
    {
        ["as it is"] = ContractCases.Spec,
        ["normed after attention"] = ContractCases.Spec with { LayerNorms = [NormRole.Attention, NormRole.AfterAttention, NormRole.Mlp] },
        ["normed after the MLP"] = ContractCases.Spec with { LayerNorms = [NormRole.Attention, NormRole.Mlp, NormRole.AfterMlp] },
        ["normed after both"] = ContractCases.Spec with { LayerNorms = [NormRole.Attention, NormRole.AfterAttention, NormRole.Mlp, NormRole.AfterMlp] },
    };

    public static TheoryData<string, string> Cases => ContractCases.Over(s_cases.Keys);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_WithEditsAtTheEndOfSublayers_GivesThePlainLogits(string device, string sublayers)
    {
        using var model = new ContractModel(device, s_cases[sublayers]);
        ForwardContract.Check(model, Arrangement.Together, AtTheEnd);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Backward_WithEditsAtTheEndOfSublayers_GivesTheDifferencesDerivatives(string device, string sublayers)
    {
        using var model = new ContractModel(device, s_cases[sublayers]);
        BackwardContract.Check(model, TrainingCase.Named("ragged"), AtTheEnd);
        BackwardContract.Check(model, TrainingCase.Named("layers run again"), AtTheEnd);
    }

    /// <summary>Bottlenecks, and edits of the maps and norms whose results they read.</summary>
    private static IEnumerable<AdapterEdit> AtTheEnd(PlainModel model, EditValues values) =>
    [
        .. OtherEdits.Bottlenecks(model, values, (layer, place) => (BottleneckInput)((layer + (2 * (int)place)) % 3), Activation.Silu, null),
        .. OtherEdits.All(model, values).Where(edit => edit is ModuleEdit { Site.Role: SiteRole.Output or SiteRole.Down } or NormDelta { Site.Role: NormRole.AfterAttention or NormRole.AfterMlp }),
    ];
}
