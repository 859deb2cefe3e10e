using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;

namespace LoraServe.Serving.Scheduling;

/// <summary>The one place that computes: a model and its pages, or arithmetic on token ids in tests of the loop.</summary>
internal interface IStepRunner : IDisposable
{
    /// <summary>Pages of the key/value cache.</summary>
    int PageCount { get; }

    /// <summary>Bytes of the key/value cache.</summary>
    long ByteLength { get; }

    /// <summary>Hidden states of the last step, [rows of <see cref="TokenBatch.Hidden"/>, D].</summary>
    Rows Hidden { get; }

    /// <summary>Copies a page's content.</summary>
    void CopyPage(int from, int to);

    /// <summary>Runs a step. Returns logits, [rows of <see cref="TokenBatch.Logits"/>, V].</summary>
    Rows Forward(TokenBatch batch);
}
