using LoraServe.Adapters.Edits;
using LoraServe.Models.Forward;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Steps;

/// <summary>Adapters of several tasks: the uses of one in a batch are for different ones.</summary>
public sealed class TasksTests
{
    public static TheoryData<string> Cases => Devices.Names;

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_UsesForDifferentTasks_GiveThePlainLogitsOfEach(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        int width = model.Plain.Width;
        var tasks = new VirtualTokens(new FloatMatrix(9, width, new EditValues(1).Around(0, 9 * width)), Tasks: 3);
        ResidentAdapter adapter = model.Place([tasks]);
        Assert.Equal(3, adapter.VirtualRows);
        int[] tokens = [1, 5, 2, 8];
        using var harness = new ForwardHarness(model.OnDevice);
        TestSequence[] sequences = [.. new[] { 2, 0, 1, 2 }.Select(task => new TestSequence(tokens, [new AdapterUse(adapter, task == 1 ? 0.5f : 1, Task: task)]))];
        foreach (int count in (int[])[2, 5])
        {
            harness.Batch.Clear();
            foreach (TestSequence sequence in sequences)
            {
                harness.Add(sequence, count, SegmentOutput.AllLogits);
            }

            harness.Step();
        }

        foreach (TestSequence sequence in sequences)
        {
            AdapterUse use = sequence.Adapters[0];
            model.AssertClose(model.Forward.Logits(tokens, tokens.Length, new PlainAdapter([tasks], use.Weight).ForTask(use.Task)), sequence.TextLogits, $"task {use.Task}");
        }
    }
}
