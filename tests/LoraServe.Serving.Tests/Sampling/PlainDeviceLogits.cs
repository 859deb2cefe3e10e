using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;

namespace LoraServe.Serving.Tests.Sampling;

/// <summary>Logits as if on another device, summarised in float64 by the plainest means.</summary>
internal sealed class PlainDeviceLogits(Rows rows, Func<int[], Rows> gather) : StepLogits, IDeviceLogits
{
    public override int Count => rows.Count;

    public override IDeviceLogits OnDevice => this;

    /// <summary>The rows that crossed over.</summary>
    public List<int> Gathered { get; } = [];

    public override Rows Read(int first, int count) => throw new InvalidOperationException("the sampler reads no rows that it did not ask for");

    public Rows Gather(ReadOnlySpan<int> wanted)
    {
        Gathered.AddRange(wanted);
        return gather(wanted.ToArray());
    }

    public void Answer(ReadOnlySpan<RowQuestion> questions, RowAnswers answers)
    {
        int greatest = 1;
        foreach (RowQuestion question in questions)
        {
            greatest = Math.Max(greatest, question.Greatest);
        }

        answers.Reset(questions.Length, greatest);
        for (int i = 0; i < questions.Length; i++)
        {
            RowQuestion question = questions[i];
            float[] row = rows.Span(question.Row).ToArray();

            // What is not a number comes first, and of equal ones the last token: a device may order them so.
            int[] order = [.. Enumerable.Range(0, row.Length).OrderByDescending(token => float.IsNaN(row[token])).ThenByDescending(token => row[token]).ThenByDescending(token => token)];
            for (int j = 0; j < greatest; j++)
            {
                answers.Tokens(i)[j] = order[j];
                answers.Logits(i)[j] = row[order[j]];
            }

            double[] weights = [.. row.Select(logit => Math.Exp((logit - row.Max()) / (double)Math.Max(question.Temperature, 1e-3f)))];
            double sum = 0;
            int drawn = Array.FindIndex(weights, weight => (sum += weight) > question.Random * weights.Sum());
            answers.Summary(i) = new RowSummary(row.Max() + Math.Log(row.Sum(logit => Math.Exp(logit - row.Max()))), weights.Sum(), drawn, drawn < 0 ? float.NaN : row[drawn]);
        }
    }
}
