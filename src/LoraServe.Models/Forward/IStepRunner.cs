using LoraServe.Compute.Memory;

namespace LoraServe.Models.Forward;

/// <summary>The one place that computes: a model on its device with pages of its own, or arithmetic on token ids in tests of the loop.</summary>
/// <remarks>One thread at a time may use it. What a step gives is valid until the next step.</remarks>
public interface IStepRunner : IDisposable
{
    /// <summary>Pages of the key/value cache.</summary>
    int PageCount { get; }

    /// <summary>Bytes of the key/value cache.</summary>
    long ByteLength { get; }

    /// <summary>The last step's hidden states after the final norm, [rows of <see cref="TokenBatch.Hidden"/>, D], in this machine's memory.</summary>
    Rows Hidden { get; }

    /// <summary>Copies a page's content: the first write to a shared page goes to a copy.</summary>
    void CopyPage(int source, int target);

    /// <summary>Runs a step and appends its keys and values to the cache.</summary>
    /// <returns>Logits, [rows of <see cref="TokenBatch.Logits"/>, V].</returns>
    StepLogits Forward(TokenBatch batch);
}
