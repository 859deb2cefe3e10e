using LoraServe.Compute.Tensors;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Steps;

/// <summary>Sequences in any steps: chunks of prompts beside single tokens, pages anywhere, every kind of adapters.</summary>
public sealed class StepRunnerTests
{
    private const int PageCount = 64;

    /// <summary>What halves lose of keys and values, in <see cref="TestedDevice.Tolerance"/>.</summary>
    private const double HalvesLose = 150;

    private static readonly Dictionary<string, (TransformerSpec Spec, ElementType Cache)> s_cases = new()
    {
        ["as it is"] = (ContractCases.Spec, ElementType.F32),
        ["a rope that depends on the length"] = (ContractCases.Spec with { Rope = new RopeSpec { Theta = 100, Scaling = RopeScaling.Dynamic, Factor = 2, OriginalContext = 8 } }, ElementType.F32),
        ["windows"] = (ContractCases.Spec with { Windows = [3, 18] }, ElementType.F32),
        ["keys and values as halves"] = (ContractCases.Spec, ElementType.F16),
    };

    public static TheoryData<string, string> Cases => ContractCases.Over(s_cases.Keys);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Forward_RandomSteps_GiveThePlainLogitsAndThoseOfEachAlone(string device, string name)
    {
        (TransformerSpec spec, ElementType cache) = s_cases[name];
        using var model = new ContractModel(device, spec);
        var plan = new SequencePlan(model);
        using var alone = new ForwardHarness(model.OnDevice, workers: 1, pageCount: PageCount, cache: cache);
        for (int seed = 0; seed < 8; seed++)
        {
            var random = new Random(seed);
            using var mixed = new ForwardHarness(model.OnDevice, workers: 1 + (seed % 3), PageCount, cache, shuffleSeed: seed);
            (TestSequence Sequence, PlainAdapter[] Stack)[] sequences = plan.Sequences(random);
            SequencePlan.Run(mixed, sequences.Select(entry => entry.Sequence), random);
            foreach ((TestSequence sequence, PlainAdapter[] stack) in sequences)
            {
                double[][] expected = plan.Expected(sequence, stack);
                double looser = cache == ElementType.F16 ? HalvesLose : 1;
                model.AssertClose(expected, sequence.TextLogits, $"{name}, seed {seed}", looser);
                float[][] whole = SequencePlan.Alone(alone, sequence);
                model.AssertClose(expected, whole, $"{name}, seed {seed}, alone", looser);
                if (model.OnDevice.IsBatchInvariant)
                {
                    Assert.Equal(whole, sequence.TextLogits);
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Forward_OnACopyOfAPage_ContinuesAsTheOriginal(string device)
    {
        const int Unused = 0; // the harness takes pages from the last
        using var model = new ContractModel(device, ContractCases.Spec);
        using var harness = new ForwardHarness(model.OnDevice);
        int[] tokens = TinyModel.Tokens(6, 30, model.VocabularySize);
        var first = new TestSequence(tokens, []);
        harness.Add(first, 20, SegmentOutput.None);
        harness.Step();

        // A second sequence shares the full page and continues otherwise, on a copy of the other.
        int[] others = [.. tokens[..20], .. TinyModel.Tokens(7, 10, model.VocabularySize)];
        var second = new TestSequence(others, []) { Done = 20 };
        second.Pages.AddRange([first.Pages[0], Unused]);
        harness.Runner.CopyPage(first.Pages[1], Unused);
        harness.Batch.Clear();
        harness.Add(first, 10, SegmentOutput.AllLogits);
        harness.Add(second, 10, SegmentOutput.AllLogits);
        harness.Step();
        model.AssertClose(model.Forward.Logits(tokens)[20..], first.Logits[20..], "the original");
        model.AssertClose(model.Forward.Logits(others)[20..], second.Logits[20..], "the copy");
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void CreateRunner_OfSomePages_HasThem(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        foreach (ElementType cache in (ReadOnlySpan<ElementType>)[ElementType.F32, ElementType.F16])
        {
            using IStepRunner runner = model.OnDevice.CreateRunner(model.Pool, 5, cache);
            Assert.Equal(5, runner.PageCount);
            Assert.Equal(5 * model.OnDevice.PageBytes(cache), runner.ByteLength);
        }

        Assert.True(model.OnDevice.PageBytes(ElementType.F16) < model.OnDevice.PageBytes(ElementType.F32));
        Assert.Throws<ArgumentException>(() => model.OnDevice.PageBytes(ElementType.Q8_0));
    }
}
