using LoraServe.Adapters.Edits;
using LoraServe.Models.Forward;
using LoraServe.Models.Tests.Contract.Edits;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Steps;

/// <summary>Sequences of every length with stacks of every kind of adapters, that take their way through steps by chance.</summary>
internal sealed class SequencePlan
{
    private const int Longest = 45;
    private readonly ContractModel _model;
    private readonly AdapterEdit[][] _edits;
    private readonly ResidentAdapter[] _adapters;

    public SequencePlan(ContractModel model)
    {
        _model = model;
        _edits = EditKinds.For(model.Plain);
        _adapters = Array.ConvertAll(_edits, edits => model.Place(edits));
    }

    /// <summary>Some sequences; of each, some tokens come after the prompt.</summary>
    public (TestSequence Sequence, PlainAdapter[] Stack)[] Sequences(Random random) =>
    [
        .. Enumerable.Range(0, random.Next(3, 9)).Select(_ =>
        {
            (AdapterUse Use, PlainAdapter Plain)[] stack = [.. Enumerable.Range(0, random.Next(3)).Select(_ =>
            {
                int kind = random.Next(_adapters.Length);
                float weight = random.Next(4) switch { 0 => 0.5f, 1 => -0.25f, _ => 1 };
                int from = random.Next(3) == 0 ? random.Next(12) : 0;
                return (new AdapterUse(_adapters[kind], weight, from), new PlainAdapter(_edits[kind], weight, from));
            })];
            int[] text = TinyModel.Tokens(random.Next(), random.Next(1, Longest), _model.VocabularySize);
            var sequence = new TestSequence(text, [.. stack.Select(entry => entry.Use)]);
            sequence.PromptLength -= random.Next(text.Length);
            return (sequence, stack.Select(entry => entry.Plain).ToArray());
        }),
    ];

    /// <summary>Logits of each token in float64.</summary>
    public double[][] Expected(TestSequence sequence, PlainAdapter[] stack) =>
        _model.Forward.Logits(sequence.Text, sequence.PromptLength - sequence.VirtualRows, stack);

    /// <summary>Runs all tokens in steps that take none, one, or any number of each: chunks of prompts beside single tokens.</summary>
    public static void Run(ForwardHarness harness, IEnumerable<TestSequence> sequences, Random random)
    {
        for (TestSequence[] left = [.. sequences]; left.Length > 0; left = [.. left.Where(sequence => sequence.Done < sequence.Tokens.Length)])
        {
            harness.Batch.Clear();
            foreach (TestSequence sequence in left)
            {
                int rest = sequence.Tokens.Length - sequence.Done;
                int count = random.Next(3) switch { 0 => 0, 1 => 1, _ => random.Next(rest + 1) };
                if (count > 0)
                {
                    harness.Add(sequence, count, SegmentOutput.AllLogits);
                }
            }

            if (harness.Batch.RowCount > 0)
            {
                harness.Step();
            }
        }
    }

    /// <summary>Runs a sequence whole and alone.</summary>
    public static float[][] Alone(ForwardHarness harness, TestSequence sequence)
    {
        var alone = new TestSequence(sequence.Text, sequence.Adapters) { PromptLength = sequence.PromptLength };
        harness.Batch.Clear();
        harness.Add(alone, alone.Tokens.Length, SegmentOutput.AllLogits);
        harness.Step();
        harness.Release(alone);
        return alone.TextLogits;
    }
}
