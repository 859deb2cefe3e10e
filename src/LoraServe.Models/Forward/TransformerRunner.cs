using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Models.Forward;

/// <summary>Runs batches through a model over a paged key/value cache. One thread at a time may use it.</summary>
/// <remarks>
/// A row's result is bit-identical whatever else is in the batch, however its prompt was cut into chunks, wherever its pages
/// lie and however many workers there are. Once the largest batch has been seen, a step allocates nothing.
/// </remarks>
/// <param name="model">The base model.</param>
/// <param name="pages">The cache that batches refer to.</param>
/// <param name="pool">The workers.</param>
public sealed class TransformerRunner(Transformer model, KvPool pages, WorkerPool pool) : IDisposable
{
    private readonly EagerOps _ops = new(model, pages, pool);

    /// <summary>The last step's hidden states after the final norm, [rows of <see cref="TokenBatch.Hidden"/>, D]; valid until the next step.</summary>
    public Rows Hidden { get; private set; }

    /// <summary>Runs one step and appends its keys and values to the cache.</summary>
    /// <returns>Logits, [rows of <see cref="TokenBatch.Logits"/>, V]; valid until the next step.</returns>
    public Rows Forward(TokenBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        _ops.BeginStep(batch);
        (Rows logits, Hidden) = DecoderForward.Run<EagerOps, Rows>(_ops, model.Spec, batch);
        return logits;
    }

    /// <inheritdoc />
    public void Dispose() => _ops.Dispose();
}
