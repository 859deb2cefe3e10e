using LoraServe.Compute.Memory;

namespace LoraServe.Serving.Scheduling;

/// <summary>What a step computed for one sequence.</summary>
internal readonly ref struct StepResult
{
    /// <summary>Position of the first token that was computed.</summary>
    public required int FirstPosition { get; init; }

    /// <summary>What was asked for of the last tokens computed: logits or hidden states, [rows, V or D]. No rows where nothing was.</summary>
    public required Rows Output { get; init; }

    /// <summary>Where these rows begin among all of the step.</summary>
    public required int FirstOutput { get; init; }

    /// <summary>Memory for one row of logits, [V].</summary>
    public required Span<float> Scratch { get; init; }

    /// <summary>Gets what is still to be chosen: the sequences whose next token their row of logits decides.</summary>
    public required List<(GenerationSequence Sequence, int Row)> Choices { get; init; }
}
