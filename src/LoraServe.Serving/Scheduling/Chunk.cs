using LoraServe.Models.Forward;

namespace LoraServe.Serving.Scheduling;

/// <summary>How many of a sequence's next tokens a step computes, and what for.</summary>
internal readonly record struct Chunk(int Rows, SegmentOutput Output)
{
    /// <summary>The next part of tokens of which the first are passed over and the logits of all others are wanted.</summary>
    /// <param name="rows">Most rows.</param>
    /// <param name="logitRows">Most rows of logits.</param>
    /// <param name="ahead">Tokens that are still to be passed over.</param>
    /// <param name="pending">Tokens that are still to be computed, these included.</param>
    public static Chunk Scored(int rows, int logitRows, int ahead, int pending) => ahead > 0
        ? new Chunk(Math.Min(rows, ahead), SegmentOutput.None)
        : new Chunk(Math.Min(Math.Min(rows, logitRows), pending), SegmentOutput.AllLogits);

    /// <summary>Rows of logits that it takes.</summary>
    public int LogitRows => Output switch
    {
        SegmentOutput.LastLogits => 1,
        SegmentOutput.AllLogits => Rows,
        _ => 0,
    };
}
