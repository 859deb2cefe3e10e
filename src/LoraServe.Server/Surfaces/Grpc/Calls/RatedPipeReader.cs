using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;

namespace LoraServe.Server.Surfaces.Grpc.Calls;

/// <summary>
/// A reader that does not wait for ever. It has patience for one pause; waiting uses it up and bytes bring it back, so that a slow sender may
/// go on for as long as it likes, and one that sends a byte now and then may not. Time in which nobody reads does not count.
/// </summary>
internal sealed class RatedPipeReader : PipeReader
{
    /// <summary>Slower than any modem, and than what Kestrel asks of other requests.</summary>
    private const double BytesPerSecond = 240;

    private readonly PipeReader _inner;
    private readonly TimeSpan _longestPause;
    private readonly TimeProvider _time;
    private TimeSpan _patience;
    private ReadOnlySequence<byte> _read;
    private long _seen;

    /// <param name="inner">Where bytes come from.</param>
    /// <param name="longestPause">The patience.</param>
    /// <param name="time">The clock.</param>
    public RatedPipeReader(PipeReader inner, TimeSpan longestPause, TimeProvider time)
    {
        _inner = inner;
        _longestPause = longestPause;
        _time = time;
        _patience = longestPause;
    }

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<ReadResult> arrived = _inner.ReadAsync(cancellationToken);
        if (arrived.IsCompleted)
        {
            return Take(await arrived.ConfigureAwait(false));
        }

        long began = _time.GetTimestamp();
        using (_time.CreateTimer(_ => _inner.CancelPendingRead(), null, _patience, Timeout.InfiniteTimeSpan))
        {
            ReadResult result = await arrived.ConfigureAwait(false);
            TimeSpan waited = _time.GetElapsedTime(began);
            _patience = waited < _patience ? _patience - waited : TimeSpan.Zero;
            return result.IsCanceled
                ? throw new RpcException(new Status(StatusCode.Aborted, $"Nothing, or hardly anything, came for {_longestPause.TotalSeconds:0} s. Send what you have without pauses, or begin again when you have it."))
                : Take(result);
        }
    }

    public override bool TryRead(out ReadResult result)
    {
        bool isRead = _inner.TryRead(out result);
        if (isRead)
        {
            Take(result);
        }

        return isRead;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _seen = _read.Slice(consumed).Length;
        _inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => _inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => _inner.Complete(exception);

    private ReadResult Take(ReadResult result)
    {
        _read = result.Buffer;
        var earned = TimeSpan.FromSeconds((_read.Length - _seen) / BytesPerSecond);
        _patience = _patience + earned < _longestPause ? _patience + earned : _longestPause;
        return result;
    }
}
