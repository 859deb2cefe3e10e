using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Forward;
using LoraServe.Cpu.Weights;
using LoraServe.Models.Backward;

namespace LoraServe.Cpu.Backward;

/// <summary>Runs ragged batches forth and back with the operations of <see cref="EagerOps"/>, recorded by <see cref="TapeOps"/>.</summary>
/// <param name="model">The frozen base, in exact arithmetic.</param>
/// <param name="pool">The workers.</param>
internal sealed class CpuTrainingPass(PackedWeights model, WorkerPool pool) : ITrainingPass
{
    private const int FirstPages = 64;
    private readonly TrainingBatch _batch = new();
    private KvPool? _pages;
    private EagerOps? _eager;
    private TapeOps? _tape;
    private HeadLoss? _head;

    /// <inheritdoc />
    public void Run(IReadOnlyList<BatchShare> shares, bool checkpointsActivations = false)
    {
        _batch.Build(shares);
        Reserve(_batch.PageCount);
        _tape!.BeginStep(
            _batch.Tokens,
            shares.Where(share => share.Gradients is not null).Select(share => KeyValuePair.Create(share.Adapter!, share.Gradients!)),
            checkpointsActivations,
            input => _batch.Score(shares, (share, first, targets, coefficients, hits) =>
                _head!.Run(input, _batch.Tokens, first, targets, coefficients, share.Smoothing, share.Losses, hits)));
        _tape.Forward(_batch.Tokens);
        _tape.Backward(_batch.Tokens);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _tape?.Dispose();
        _eager?.Dispose();
        _pages?.Dispose();
    }

    private void Reserve(int pages)
    {
        if (_pages is not null && _pages.PageCount >= pages)
        {
            return;
        }

        int count = Math.Max(pages, Math.Max(FirstPages, (_pages?.PageCount ?? 0) * 3 / 2));
        Dispose();
        _pages = new KvPool(model.Spec, count, ElementType.F32);
        _eager = new EagerOps(model, _pages, pool);
        _tape = new TapeOps(model, _eager, pool);
        _head = new HeadLoss(model.Spec, _eager, _tape, pool);
    }
}
