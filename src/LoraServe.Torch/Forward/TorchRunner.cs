using System.Runtime.InteropServices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Models.Forward;
using LoraServe.Torch.Native;
using LoraServe.Torch.Weights;

namespace LoraServe.Torch.Forward;

/// <summary>Runs batches on a device of libtorch over a paged key/value cache there, which it owns.</summary>
/// <remarks>All that a step makes is in one scope, but its logits; hidden states are copied to this machine's memory.</remarks>
internal sealed class TorchRunner : IStepRunner
{
    private readonly TorchWeights _weights;
    private readonly TorchPages _pages;
    private readonly ServingOps _ops;
    private readonly TorchLogits _logits = new();
    private readonly ScalingPass _scalings;
    private NativeBuffer? _hidden;

    private readonly IDisposable _room;

    /// <summary>A runner over pages, which become its own.</summary>
    /// <param name="weights">The model's weights.</param>
    /// <param name="pages">The pages.</param>
    /// <param name="pool">Workers for what runs on this machine's processor.</param>
    /// <param name="room">What they take of the device's memory; becomes its own.</param>
    public TorchRunner(TorchWeights weights, TorchPages pages, WorkerPool pool, IDisposable room)
    {
        _scalings = new ScalingPass(pool);
        _room = room;
        _weights = weights;
        _pages = pages;
        _ops = new ServingOps(weights, pages);
    }

    /// <inheritdoc />
    public int PageCount => _pages.PageCount;

    /// <inheritdoc />
    public long ByteLength => _pages.ByteLength;

    /// <inheritdoc />
    public Rows Hidden { get; private set; }

    /// <inheritdoc />
    public void CopyPage(int source, int target) => _pages.CopyPage(source, target);

    /// <inheritdoc />
    public StepLogits Forward(TokenBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Scouts is { RowCount: > 0 } scouts)
        {
            Run(scouts);
            _scalings.Fill(batch, Hidden);
        }

        return Run(batch);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _ops.Dispose();
        _scalings.Dispose();
        _pages.Dispose();
        _room.Dispose();
        _logits.Dispose();
        _hidden?.Dispose();
    }

    private TorchLogits Run(TokenBatch batch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable noGrad = torch.no_grad();
        try
        {
            _ops.BeginStep(batch);
            (Tensor logits, Tensor hidden) = DecoderForward.Run<ServingOps, Tensor>(_ops, _weights.Spec, batch);
            int wanted = (int)hidden.shape[0];
            Hidden = wanted == 0 ? default : HostRows.Fetch(hidden, 0, wanted, ref _hidden);
            return _logits.Of(logits);
        }
        catch (ExternalException failure)
        {
            throw TorchFailure.Of(failure);
        }
        finally
        {
            _ops.EndStep();
        }
    }
}
