using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace LoraServe.Grpc.Server;

/// <summary>
/// Decides, once, how a call ends: its handler returns, or its deadline passes first. At the deadline the client gets
/// its status at once, even when the handler does not react; what the handler then still writes is refused.
/// </summary>
internal sealed class CallLifetime(HttpServerCallContext context, HttpContext http, TimeProvider timeProvider) : IDisposable
{
    private const int Http2Cancel = 8;

    // Timers take at most about 49 days; a deadline further away is none.
    private static readonly TimeSpan s_longestTimer = TimeSpan.FromDays(40);

    private readonly Lock _lock = new();
    private CancellationTokenSource? _cancellation;
    private ITimer? _timer;
    private Task _ended = Task.CompletedTask;
    private bool _isWriting;
    private bool _isOver;

    /// <summary>When the client stops waiting, in UTC.</summary>
    public DateTime Deadline { get; private set; } = DateTime.MaxValue;

    public bool IsDeadlineExceeded { get; private set; }

    public static Status DeadlineExceeded { get; } = new(StatusCode.DeadlineExceeded, "The deadline passed before the call was complete.");

    public CancellationToken CancellationToken => _cancellation?.Token ?? http.RequestAborted;

    public void SetTimeout(TimeSpan timeout)
    {
        DateTime now = timeProvider.GetUtcNow().UtcDateTime;
        Deadline = timeout < DateTime.MaxValue - now ? now + timeout : DateTime.MaxValue;
        if (timeout <= s_longestTimer)
        {
            _cancellation = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            _timer = timeProvider.CreateTimer(static state => ((CallLifetime)state!).OnDeadline(), this, timeout, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Takes the response for one write.</summary>
    /// <exception cref="OperationCanceledException">The call is over.</exception>
    /// <exception cref="InvalidOperationException">Another write is under way.</exception>
    public void EnterWrite()
    {
        lock (_lock)
        {
            if (_isOver)
            {
                throw new OperationCanceledException("The call has ended; nothing more can be written to it.", CancellationToken);
            }

            if (_isWriting)
            {
                throw new InvalidOperationException("A write to this stream is under way; await it before the next one.");
            }

            _isWriting = true;
        }
    }

    public void ExitWrite()
    {
        lock (_lock)
        {
            _isWriting = false;
        }
    }

    /// <summary>Ends the call with the handler's status, unless it is over already; then waits until its end is sent.</summary>
    public Task EndAsync(Status status)
    {
        lock (_lock)
        {
            if (!_isOver)
            {
                _isOver = true;
                context.SetStatus(status, context.ResponseTrailers);
            }

            return _ended;
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _cancellation?.Dispose();
    }

    private void OnDeadline()
    {
        lock (_lock)
        {
            if (_isOver)
            {
                return;
            }

            _isOver = true;
            IsDeadlineExceeded = true;
            if (_isWriting)
            {
                // A write waits for the client's window, and would keep the status waiting too.
                http.Features.Get<IHttpResetFeature>()?.Reset(Http2Cancel);
            }
            else
            {
                // The handler may be adding trailers at this moment, so they are left out.
                context.SetStatus(DeadlineExceeded, Metadata.Empty);
                _ended = http.Response.CompleteAsync();
            }
        }

        try
        {
            _cancellation!.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The handler returned in this very moment.
        }
        catch (AggregateException e)
        {
            context.LogCancellationFailure(e);
        }
    }
}
