using LoraServe.Adapters.Edits;
using LoraServe.Models.Forward;
using LoraServe.Models.Tests.Contract.Edits;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Steps;

/// <summary>Adapters with invocation tokens: they act from the last occurrence in the prompt on, also on what is generated.</summary>
public sealed class InvocationTests
{
    private static readonly int[] s_invocation = [9, 4];

    private static readonly Dictionary<string, int[]> s_prompts = new()
    {
        ["once"] = [1, 2, 3, 9, 4, 5, 6],
        ["twice"] = [9, 4, 1, 2, 3, 9, 4, 5],
        ["at the beginning"] = [9, 4, 7, 7],
        ["at the end"] = [1, 1, 9, 4],
        ["half of them"] = [3, 9, 5, 4],
        ["not at all"] = [3, 5, 6],
    };

    public static TheoryData<string, string> Cases => ContractCases.Over(s_prompts.Keys);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_PromptAndWhatFollows_GivesThePlainLogits(string device, string prompt)
    {
        using var model = new ContractModel(device, ContractCases.Spec);

        // What is generated may look like them, and means nothing then.
        int[] tokens = [.. s_prompts[prompt], 8, 9, 4, 2];
        AdapterEdit[] ahead = [.. new VirtualTokensTests().Edits(model.Plain, new EditValues(1))];
        AdapterEdit[] edits = [.. OtherEdits.All(model.Plain, new EditValues(2))];
        ResidentAdapter rows = model.Place(ahead);
        ResidentAdapter invoked = model.Place(edits, s_invocation);
        Assert.Equal(s_invocation, invoked.InvocationTokens);
        foreach (bool hasRowsAhead in (bool[])[false, true])
        {
            using var harness = new ForwardHarness(model.OnDevice);
            int virtualRows = hasRowsAhead ? rows.VirtualRows : 0;
            var use = AdapterUse.InPrompt(invoked, 0.8f, s_prompts[prompt], virtualRows);
            var sequence = new TestSequence(tokens, hasRowsAhead ? [new AdapterUse(rows), use] : [use]) { PromptLength = virtualRows + s_prompts[prompt].Length };
            foreach (int count in (int[])[2, virtualRows + s_prompts[prompt].Length - 2, 1, 3])
            {
                harness.Batch.Clear();
                harness.Add(sequence, count, SegmentOutput.AllLogits);
                harness.Step();
            }

            var plain = new PlainAdapter(edits, 0.8f) { InvocationTokens = s_invocation };
            double[][] expected = model.Forward.Logits(tokens, s_prompts[prompt].Length, hasRowsAhead ? [new PlainAdapter(ahead), plain] : [plain]);
            model.AssertClose(expected, sequence.TextLogits, prompt);
        }
    }
}
