using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Runs;

/// <summary>How an adapter does on rows that it has not learnt.</summary>
/// <param name="Loss">Mean over the labelled tokens.</param>
/// <param name="Score">Share of rows whose every labelled token the model would have chosen: then, and only then, it answers them so by itself, taking the likeliest token each time.</param>
internal sealed record Evaluation(double Loss, double Score)
{
    /// <summary>Evaluates.</summary>
    public static Evaluation Of(IReadOnlyList<TrainingExample> examples, ResidentAdapter? adapter, ITrainingPass pass, int tokensAtOnce)
    {
        double loss = 0;
        long tokens = 0;
        int right = 0;
        foreach (IReadOnlyList<TrainingExample> part in ExampleParts.Of(examples, example => example.Tokens.Length, tokensAtOnce))
        {
            var share = new BatchShare { Adapter = adapter, Examples = part, WantsHits = true };
            pass.Run([share]);
            loss += share.Losses.Sum(value => (double)value);
            tokens += share.Losses.Length;
            int next = 0;
            foreach (int count in share.LabelledTokens)
            {
                right += share.Hits.AsSpan(next, count).Contains(false) ? 0 : 1;
                next += count;
            }
        }

        return new Evaluation(tokens > 0 ? loss / tokens : double.NaN, examples.Count > 0 ? (double)right / examples.Count : double.NaN);
    }
}
