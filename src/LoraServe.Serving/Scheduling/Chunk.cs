using LoraServe.Models.Forward;

namespace LoraServe.Serving.Scheduling;

/// <summary>How many of a sequence's next tokens a step computes, and what for.</summary>
internal readonly record struct Chunk(int Rows, SegmentOutput Output)
{
    /// <summary>Rows of logits that it takes.</summary>
    public int LogitRows => Output switch
    {
        SegmentOutput.LastLogits => 1,
        SegmentOutput.AllLogits => Rows,
        _ => 0,
    };
}
