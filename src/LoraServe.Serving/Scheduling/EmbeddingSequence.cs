using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Scheduling;

/// <summary>A text whose pooled hidden state is wanted. Virtual rows are no part of it.</summary>
internal sealed class EmbeddingSequence(Submission owner, int[] tokens, int width, Pooling pooling, bool normalize)
    : Sequence(owner, tokens, tokens.Length, tokens.Length)
{
    private readonly double[] _sum = new double[width];

    /// <summary>The vector, once all is computed.</summary>
    public ReadOnlyMemory<float> Vector
    {
        get
        {
            double divisor = normalize ? Math.Sqrt(_sum.Sum(value => value * value)) : pooling == Pooling.Mean ? PromptLength - VirtualRows : 1;
            return Array.ConvertAll(_sum, value => (float)(divisor > 0 ? value / divisor : 0));
        }
    }

    public override int ReusableTokens => pooling == Pooling.Mean ? VirtualRows : TokenCount - 1;

    public override Chunk NextChunk(int rows, int logitRows)
    {
        int taken = Math.Min(rows, PendingTokens);
        if (pooling == Pooling.Mean)
        {
            int ahead = VirtualRows - CachedTokens;
            return ahead > 0 ? new Chunk(Math.Min(taken, ahead), SegmentOutput.None) : new Chunk(taken, SegmentOutput.AllHidden);
        }

        return new Chunk(taken, taken == PendingTokens ? SegmentOutput.AllHidden : SegmentOutput.None);
    }

    public override void Restart()
    {
        base.Restart();
        Array.Clear(_sum);
    }

    /// <summary>Pools rows, in order of position.</summary>
    public override bool Take(in StepResult result)
    {
        Rows hidden = result.OutputCount > 0 ? result.Hidden.Slice(result.FirstOutput, result.OutputCount) : default;
        for (int row = pooling == Pooling.Mean ? 0 : Math.Max(0, hidden.Count - 1); row < hidden.Count; row++)
        {
            ReadOnlySpan<float> values = hidden.Span(row);
            for (int i = 0; i < values.Length; i++)
            {
                _sum[i] += values[i];
            }
        }

        return PendingTokens == 0;
    }
}
