using LoraServe.Compute.Memory;

namespace LoraServe.Models.Forward;

/// <summary>A step's logits in the memory of another device, of which only what is needed crosses to this machine.</summary>
public interface IDeviceLogits
{
    /// <summary>Answers questions about rows, all at once.</summary>
    /// <param name="questions">The questions.</param>
    /// <param name="answers">Gets the answers, by the number of the question; those of before are gone.</param>
    void Answer(ReadOnlySpan<RowQuestion> questions, RowAnswers answers);

    /// <summary>Brings whole rows over in one copy, [n, V], in the order asked for. Valid until the next call.</summary>
    Rows Gather(ReadOnlySpan<int> rows);
}
