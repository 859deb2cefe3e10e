using LoraServe.Adapters.Edits;
using LoraServe.Models.Forward;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Operations;

/// <summary>What a segment is computed for: every kind of output, beside the others and alone, with adapters that act at the end of the model.</summary>
public sealed class GatherTests
{
    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Forward_EveryOutputInOneBatch_GivesTheWantedRowsOnly(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        AdapterEdit[] edits = [.. OtherEdits.All(model.Plain, new EditValues(1))];
        ResidentAdapter adapter = model.Place(edits);
        using var harness = new ForwardHarness(model.OnDevice, workers: 2, shuffleSeed: 3);
        (TestSequence Sequence, bool HasAdapter, SegmentOutput Output, int[] Selected)[] segments =
        [
            .. from place in Enumerable.Range(0, 2)
               from wanted in new (SegmentOutput Output, int[] Selected)[]
               {
                   (SegmentOutput.AllHidden, []), (SegmentOutput.LastLogits, []), (SegmentOutput.None, []), (SegmentOutput.SelectedLogits, [0, 2, 3, 6]),
                   (SegmentOutput.SelectedLogits, []), (SegmentOutput.AllLogits, []), (SegmentOutput.AllHidden, []),
               }
               let sequence = new TestSequence(TinyModel.Tokens(place + (int)wanted.Output, 7 + place, model.VocabularySize), place == 1 ? [new AdapterUse(adapter, 0.8f, 3)] : [])
               select (sequence, place == 1, wanted.Output, wanted.Selected),
        ];
        foreach ((TestSequence sequence, _, SegmentOutput output, int[] selected) in segments)
        {
            harness.Add(sequence, sequence.Tokens.Length, output, selected);
        }

        harness.Step();
        foreach ((TestSequence sequence, bool hasAdapter, SegmentOutput output, _) in segments)
        {
            PlainAdapter[] stack = hasAdapter ? [new PlainAdapter(edits, 0.8f, 3)] : [];
            bool isHidden = output == SegmentOutput.AllHidden;
            double[][] expected = isHidden ? model.Forward.Hidden(sequence.Text, stack) : model.Forward.Logits(sequence.Text, stack);
            float[][] actual = isHidden ? sequence.Hidden : sequence.Logits;
            model.AssertClose([.. sequence.OutputRows.Select(row => expected[row])], [.. sequence.OutputRows.Select(row => actual[row])], $"{output}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Forward_NothingWanted_FillsTheCacheAndGivesNoRows(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        using var harness = new ForwardHarness(model.OnDevice);
        var sequence = new TestSequence(TinyModel.Tokens(1, 20, model.VocabularySize), []);
        harness.Add(sequence, 18, SegmentOutput.None);
        Assert.Equal(0, harness.Runner.Forward(harness.Batch).Count);
        Assert.Equal(0, harness.Hidden.Count);
        harness.Step();
        harness.Batch.Clear();
        harness.Add(sequence, 2, SegmentOutput.AllLogits);
        harness.Step();
        model.AssertClose(model.Forward.Logits(sequence.Text)[18..], sequence.Logits[18..], "after rows without output");
    }
}
