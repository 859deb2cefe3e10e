using LoraServe.Adapters.Edits;
using LoraServe.Models.Forward;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract;

/// <summary>What every device owes going forth: the logits of each segment of a batch, as it would be alone in float64.</summary>
internal static class ForwardContract
{
    /// <summary>Runs an arrangement with adapters of a kind.</summary>
    public static void Check(ContractModel model, Arrangement arrangement, EditKind kind)
    {
        AdapterEdit[][] edits = [[.. kind(model.Plain, new EditValues(1))], [.. kind(model.Plain, new EditValues(2))], [.. OtherEdits.All(model.Plain, new EditValues(3))]];
        ResidentAdapter[] adapters = Array.ConvertAll(edits, own => model.Place(own));
        using var harness = new ForwardHarness(model.OnDevice, workers: 2, shuffleSeed: 5);
        TestSequence[] sequences = [.. arrangement.Prompts.Select((prompt, i) => new TestSequence(
            TinyModel.Tokens(i + prompt.Count, prompt.Count, model.VocabularySize),
            [.. prompt.Stack.Select(use => new AdapterUse(adapters[use.Adapter], use.Weight, use.ActiveFrom))]))];
        foreach (TestSequence sequence in sequences)
        {
            harness.Add(sequence, sequence.Tokens.Length, SegmentOutput.AllLogits);
        }

        harness.Step();
        double moved = 0;
        foreach ((TestSequence sequence, Arrangement.Prompt prompt) in sequences.Zip(arrangement.Prompts))
        {
            PlainAdapter[] stack = [.. prompt.Stack.Select(use => new PlainAdapter(edits[use.Adapter], use.Weight, use.ActiveFrom))];
            double[][] expected = model.Forward.Logits(sequence.Text, stack);
            model.AssertClose(expected, sequence.TextLogits, $"{arrangement.Name}, a prompt of {prompt.Count}");
            moved = Math.Max(moved, expected.Zip(model.Forward.Logits(sequence.Text), (with, without) => with.Zip(without, (a, b) => Math.Abs(a - b)).Max()).Max());
        }

        // What changes nothing would be right however it were computed.
        bool acts = arrangement.Prompts.Any(prompt => prompt.Stack.Any(use => use.Weight != 0 && use.ActiveFrom < prompt.Count));
        Assert.True(!acts || moved > 0.02, $"The adapters move logits by {moved} only.");
    }

    /// <summary>Runs prompts of a model without adapters.</summary>
    /// <param name="model">The model.</param>
    /// <param name="counts">Their lengths; none: from one row to more than two pages.</param>
    public static void CheckBase(ContractModel model, params int[] counts)
    {
        counts = counts.Length > 0 ? counts : [1, 16, 5, 33, 17];
        Check(model, new Arrangement("the base", [.. counts.Select(count => new Arrangement.Prompt(count))]), (_, _) => []);
    }
}
