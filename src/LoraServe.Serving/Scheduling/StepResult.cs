using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;

namespace LoraServe.Serving.Scheduling;

/// <summary>What a step computed for one sequence.</summary>
internal readonly ref struct StepResult
{
    /// <summary>Position of the first token that was computed.</summary>
    public required int FirstPosition { get; init; }

    /// <summary>The step's logits.</summary>
    public required StepLogits Logits { get; init; }

    /// <summary>The step's hidden states.</summary>
    public required Rows Hidden { get; init; }

    /// <summary>Where the rows that were asked for begin among all of the step, of logits or of hidden states.</summary>
    public required int FirstOutput { get; init; }

    /// <summary>How many rows were asked for; none where nothing was.</summary>
    public required int OutputCount { get; init; }

    /// <summary>Memory for one row of logits, [V].</summary>
    public required Span<float> Scratch { get; init; }

    /// <summary>Gets what is still to be chosen: the sequences whose next token their row of logits decides.</summary>
    public required List<(GenerationSequence Sequence, int Row)> Choices { get; init; }
}
