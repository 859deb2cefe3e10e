using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Contract.Steps;

/// <summary>What a device says of its logits is what they say when they are read.</summary>
public sealed class StepLogitsTests
{
    private const int Rows = 9;

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Read_Some_GivesThePartOfAll(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        using var harness = new ForwardHarness(model.OnDevice);
        StepLogits logits = Step(model, harness);
        float[][] some = Copy(logits.Read(2, 3));
        Assert.Equal(Rows, logits.Count);
        Assert.Equal(Copy(logits.Rows)[2..5], some);
        if (logits.OnDevice is { } there)
        {
            Assert.Equal([.. new[] { 7, 0, 7 }.Select(row => Copy(logits.Rows)[row])], Copy(there.Gather([7, 0, 7])));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void Answer_QuestionsOfAllKinds_SaysWhatTheRowsSay(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        using var harness = new ForwardHarness(model.OnDevice);
        StepLogits logits = Step(model, harness);
        float[][] rows = Copy(logits.Rows);
        if (logits.OnDevice is not { } there)
        {
            Assert.Equal("cpu", device);
            return;
        }

        var random = new Random(2);
        double[] randoms = [random.NextDouble(), 0, 1 - 1e-12, .. Enumerable.Range(3, 37).Select(_ => random.NextDouble())];
        RowQuestion[] questions = [.. randoms.Select((one, i) => new RowQuestion(i % Rows, 1 + (i % 5), 0.3f * (i % 4), one))];
        var answers = new RowAnswers();
        for (int times = 0; times < 2; times++)
        {
            there.Answer(questions, answers);
        }

        for (int i = 0; i < questions.Length; i++)
        {
            (float[] row, RowQuestion question) = (rows[questions[i].Row], questions[i]);
            int[] order = [.. Enumerable.Range(0, row.Length).OrderByDescending(token => row[token])];
            Assert.Equal(order[..question.Greatest].Select(token => row[token]), answers.Logits(i)[..question.Greatest].ToArray());
            Assert.Equal(order[..question.Greatest], answers.Tokens(i)[..question.Greatest].ToArray());
            Assert.Equal(row.Max() + Math.Log(row.Sum(logit => Math.Exp(logit - row.Max()))), answers.Summary(i).LogSum, 1e-4);
            if (question.Temperature > 0)
            {
                double[] weights = [.. row.Select(logit => Math.Exp((logit - row.Max()) / question.Temperature))];
                Assert.Equal(1, answers.Summary(i).Mass / weights.Sum(), 1e-4);
                int drawn = answers.Summary(i).DrawnToken;
                Assert.Equal(row[drawn], answers.Summary(i).DrawnLogit);
                (double below, double wanted) = (weights[..drawn].Sum(), question.Random * weights.Sum());
                Assert.InRange(wanted, below - (1e-4 * weights.Sum()), below + weights[drawn] + (1e-4 * weights.Sum()));
            }
        }
    }

    private static StepLogits Step(ContractModel model, ForwardHarness harness)
    {
        harness.Add(new TestSequence(TinyModel.Tokens(1, Rows, model.VocabularySize), []), Rows, SegmentOutput.AllLogits);
        return harness.Runner.Forward(harness.Batch);
    }

    private static float[][] Copy(Compute.Memory.Rows rows) => [.. Enumerable.Range(0, rows.Count).Select(row => rows.Span(row).ToArray())];
}
