using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Tests.Contract.Operations;

/// <summary>Rows of the token table, scaled or not; of a table that is the head too.</summary>
public sealed class EmbedTests
{
    private static readonly Dictionary<string, TransformerSpec> s_cases = new()
    {
        ["scale of one"] = ContractCases.Spec,
        ["scale below one"] = ContractCases.Spec with { EmbeddingScale = 0.25f },
        ["scale above one"] = ContractCases.Spec with { EmbeddingScale = 4 },
        ["tied, with a scale"] = ContractCases.Spec with { EmbeddingScale = 2, TiedHead = true },
    };

    public static TheoryData<string, string> Cases => ContractCases.Over(s_cases.Keys);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_Prompts_GiveThePlainLogits(string device, string scale)
    {
        using var model = new ContractModel(device, s_cases[scale]);
        ForwardContract.CheckBase(model);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Backward_EditsOfTheTable_GiveTheDifferencesDerivatives(string device, string scale)
    {
        using var model = new ContractModel(device, s_cases[scale]);
        BackwardContract.Check(model, TrainingCase.Named("ragged"), OtherEdits.Below);
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Forward_FirstAndLastTokenOfTheVocabulary_AreRowsLikeOthers(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        int[] tokens = [0, model.VocabularySize - 1, 0];
        using var single = new SingleSequence(model.OnDevice, model.Pool, tokens.Length);
        single.Begin(tokens);
        Rows logits = single.Advance(tokens, SegmentOutput.AllLogits);
        model.AssertClose(model.Forward.Logits(tokens), [.. Enumerable.Range(0, tokens.Length).Select(row => logits.Span(row).ToArray())], "first and last");
    }
}
