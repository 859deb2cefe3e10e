using LoraServe.Compute.Memory;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Sampling;

namespace LoraServe.Serving.Scheduling;

/// <summary>A text whose tokens' probabilities are wanted. Its last token is never computed: nothing is asked after it.</summary>
internal sealed class ScoringSequence : Sequence
{
    private readonly int _firstScored;
    private readonly int[] _scored;
    private readonly float[] _logProbabilities;

    /// <param name="owner">The request.</param>
    /// <param name="tokens">Prompt and text.</param>
    /// <param name="firstScored">The first token to score; at least 1.</param>
    public ScoringSequence(Submission owner, int[] tokens, int firstScored)
        : base(owner, tokens, tokens.Length - 1, tokens.Length)
    {
        _firstScored = firstScored;
        _scored = tokens[firstScored..];
        _logProbabilities = new float[_scored.Length];
    }

    /// <summary>The result, once all is computed.</summary>
    public ScoredText Scored => new(_scored, _logProbabilities);

    public override int ReusableTokens => _firstScored - 1;

    public override Chunk NextChunk(int rows, int logitRows) => Chunk.Scored(rows, logitRows, _firstScored - 1 - CachedTokens, PendingTokens);

    /// <summary>Reduces logits to the log-probabilities of the tokens that follow.</summary>
    public override bool Take(in StepResult result)
    {
        Rows logits = result.Logits.Read(result.FirstOutput, result.OutputCount);
        for (int row = 0; row < logits.Count; row++)
        {
            int scored = result.FirstPosition + row + 1 - _firstScored;
            ReadOnlySpan<float> values = logits.Span(row);
            _logProbabilities[scored] = (float)(values[_scored[scored]] - Sampler.LogSumExp(values, result.Scratch));
        }

        return PendingTokens == 0;
    }
}
