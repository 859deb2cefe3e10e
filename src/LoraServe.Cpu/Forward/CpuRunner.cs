using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Weights;
using LoraServe.Models.Forward;

namespace LoraServe.Cpu.Forward;

/// <summary>Runs batches through a model over a paged key/value cache, which it owns.</summary>
/// <remarks>
/// A row's result is bit-identical whatever else is in the batch, however its prompt was cut into chunks, wherever its pages
/// lie and however many workers there are. Once the largest batch has been seen, a step allocates nothing.
/// </remarks>
/// <param name="model">The base model.</param>
/// <param name="pages">The cache that batches refer to.</param>
/// <param name="pool">The workers.</param>
internal sealed class CpuRunner(PackedWeights model, KvPool pages, WorkerPool pool) : IStepRunner
{
    private readonly EagerOps _ops = new(model, pages, pool);
    private readonly HostLogits _logits = new();
    private readonly ScalingPass _scalings = new(pool);

    /// <inheritdoc />
    public int PageCount => pages.PageCount;

    /// <inheritdoc />
    public long ByteLength => pages.ByteLength;

    /// <inheritdoc />
    public Rows Hidden { get; private set; }

    /// <inheritdoc />
    public void CopyPage(int source, int target) => pages.CopyPage(source, target);

    /// <inheritdoc />
    public StepLogits Forward(TokenBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Scouts is { RowCount: > 0 } scouts)
        {
            _scalings.Fill(batch, Run(scouts).Hidden);
        }

        (Rows logits, Hidden) = Run(batch);
        return _logits.Of(logits);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _ops.Dispose();
        _scalings.Dispose();
        pages.Dispose();
    }

    private (Rows Logits, Rows Hidden) Run(TokenBatch batch)
    {
        _ops.BeginStep(batch);
        return DecoderForward.Run<EagerOps, Rows>(_ops, model.Spec, batch);
    }
}
