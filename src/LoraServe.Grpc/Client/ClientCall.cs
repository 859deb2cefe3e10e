using System.IO.Compression;
using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Net.Client;
using LoraServe.Grpc.Wire;

namespace LoraServe.Grpc.Client;

/// <summary>One call of a client: an HTTP request whose response is read as messages, and whose end is one status.</summary>
internal sealed class ClientCall<TRequest, TResponse> : IDisposable
    where TRequest : class
    where TResponse : class
{
    private readonly GrpcChannel _channel;
    private readonly Method<TRequest, TResponse> _method;
    private readonly CallOptions _options;
    private readonly CancellationTokenSource _cancellation;
    private readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<CallEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HttpRequestMessage _request;
    private Task<MessageReader<TResponse>?> _started = Task.FromResult<MessageReader<TResponse>?>(null);
    private HttpResponseMessage? _response;
    private PipeReader? _body;
    private bool _readCancelled;

    public ClientCall(GrpcChannel channel, Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        _channel = channel;
        _method = method;
        _options = options;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken, channel.ShutdownToken);
        CancellationToken = _cancellation.Token;
        _request = ClientRequest.Create(channel.Address, method.FullName, host, options, out bool gzip);
        Gzip = gzip ? CompressionLevel.Fastest : null;
        if (options.Deadline is { } deadline)
        {
            TimeSpan left = deadline.ToUniversalTime() - DateTime.UtcNow;
            if (left <= TimeSpan.Zero)
            {
                _cancellation.Cancel();
            }
            else if (left < ClientRequest.LongestTimer)
            {
                _cancellation.CancelAfter(left);
            }
        }
    }

    /// <summary>How requests are compressed.</summary>
    public CompressionLevel? Gzip { get; }

    public int? MaxSendMessageSize => _channel.Options.MaxSendMessageSize;

    public Marshaller<TRequest> RequestMarshaller => _method.RequestMarshaller;

    public WriteOptions? WriteOptions => _options.WriteOptions;

    /// <summary>Cancelled when the call is, at its deadline, and when it has ended.</summary>
    public CancellationToken CancellationToken { get; }

    public Task<Metadata> ResponseHeadersAsync => _headers.Task;

    /// <summary>Sends the one request of the call.</summary>
    public void Start(TRequest request)
    {
        CompressionLevel? gzip = _options.WriteOptions?.Flags.HasFlag(WriteFlags.NoCompress) == true ? null : Gzip;
        Send(new SingleMessageContent<TRequest>(request, _method.RequestMarshaller, MaxSendMessageSize, gzip));
    }

    /// <summary>Opens the stream of requests.</summary>
    public ClientStreamWriter<TRequest, TResponse> StartStreaming()
    {
        var content = new StreamContent();
        var writer = new ClientStreamWriter<TRequest, TResponse>(this, content);
        Send(content);
        return writer;
    }

    public Status GetStatus() => Ended().Status;

    public Metadata GetTrailers() => Ended().Trailers;

    /// <summary>The status, once the call has ended.</summary>
    public Task<CallEnd> WaitForEndAsync() => _end.Task;

    /// <summary>The one response of a call that has one.</summary>
    public async Task<TResponse> ReadSingleAsync()
    {
        TResponse? response = await ReadAsync(CancellationToken.None).ConfigureAwait(false);
        if (response is null)
        {
            throw GrpcProtocol.Error(StatusCode.Internal, "The server ended the call without a response message.");
        }

        return await ReadAsync(CancellationToken.None).ConfigureAwait(false) is null
            ? response
            : throw Fail(GrpcProtocol.Error(StatusCode.Internal, "The server sent more than one response message; the method has exactly one."));
    }

    /// <summary>The next response; null at the end of a call that ended well.</summary>
    public async ValueTask<TResponse?> ReadAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration =
            cancellationToken.UnsafeRegister(static state => ((ClientCall<TRequest, TResponse>)state!).CancelRead(), this);
        MessageReader<TResponse>? messages = await _started.ConfigureAwait(false);
        if (messages is not null && !_end.Task.IsCompleted)
        {
            try
            {
                if (await messages.ReadAsync(CancellationToken).ConfigureAwait(false) is { } message)
                {
                    return message;
                }

                await _body!.CompleteAsync().ConfigureAwait(false);
                End(ClientResponse.EndOf(_response!, _response!.TrailingHeaders));
            }
            catch (Exception e)
            {
                Fail(e);
            }
        }

        CallEnd end = await _end.Task.ConfigureAwait(false);
        return end.Status.StatusCode == StatusCode.OK ? null : throw ToException(end);
    }

    /// <summary>Ends the call because of a local failure, unless it has ended, and returns what its users see.</summary>
    /// <param name="exception">What failed.</param>
    /// <param name="cancelled">Whether the user gave up; the call's own cancellation is noticed in any case.</param>
    public Exception Fail(Exception exception, bool cancelled = false)
    {
        End(ClientFailure.EndOf(exception, cancelled || CancellationToken.IsCancellationRequested, IsDeadlineExceeded));
        return ToException(_end.Task.Result);
    }

    /// <summary>How the call ended whose request could not be written: when a response is being awaited, the server may say why.</summary>
    public Task<CallEnd> EndAfterFailedWriteAsync(Exception exception, bool cancelled)
    {
        if (_method.Type == MethodType.DuplexStreaming || cancelled)
        {
            Fail(exception, cancelled);
        }

        return _end.Task;
    }

    /// <summary>What a user of a failed call gets.</summary>
    public Exception ToException(CallEnd end)
    {
        var exception = new RpcException(end.Status, end.Trailers);
        return _channel.Options.ThrowOperationCanceledOnCancellation && end.Status.StatusCode is StatusCode.Cancelled or StatusCode.DeadlineExceeded
            ? new OperationCanceledException(exception.Message, exception, _options.CancellationToken)
            : exception;
    }

    public void Dispose() =>
        End(new CallEnd(new Status(StatusCode.Cancelled, "The call was disposed before it ended."), Metadata.Empty));

    private bool IsDeadlineExceeded =>
        _options.Deadline is { } deadline
        && (DateTime.UtcNow >= deadline.ToUniversalTime() || CancellationToken.IsCancellationRequested)
        && !_readCancelled
        && !_options.CancellationToken.IsCancellationRequested
        && !_channel.ShutdownToken.IsCancellationRequested;

    private void CancelRead()
    {
        _readCancelled = true;
        try
        {
            _cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call has ended in this very moment.
        }
    }

    private void Send(HttpContent content)
    {
        ClientRequest.AddContent(_request, content, Gzip is not null);
        _started = StartAsync();
    }

    private async Task<MessageReader<TResponse>?> StartAsync()
    {
        try
        {
            HttpResponseMessage response = await _channel.HttpClient.SendAsync(_request, HttpCompletionOption.ResponseHeadersRead, CancellationToken).ConfigureAwait(false);
            Interlocked.Exchange(ref _response, response);
            if (_end.Task.IsCompleted)
            {
                response.Dispose();
                return null;
            }

            if (ClientResponse.Refusal(response) is { } refusal)
            {
                End(refusal);
                return null;
            }

            _headers.TrySetResult(ClientResponse.Metadata(response.Headers));
            if (response.Headers.Contains(GrpcProtocol.StatusHeader))
            {
                End(ClientResponse.EndOf(response, response.Headers));
                return null;
            }

            Stream stream = await response.Content.ReadAsStreamAsync(CancellationToken).ConfigureAwait(false);
            _body = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
            return new MessageReader<TResponse>(_body, _method.ResponseMarshaller, _channel.Options.MaxReceiveMessageSize, ClientResponse.Encoding(response));
        }
        catch (Exception e)
        {
            Fail(e);
            return null;
        }
    }

    private CallEnd Ended() =>
        _end.Task.IsCompletedSuccessfully ? _end.Task.Result : throw new InvalidOperationException("The call is still running; it has no status yet.");

    /// <summary>Ends the call, once: what is still under way on the connection is cancelled.</summary>
    private void End(CallEnd end)
    {
        if (!_end.TrySetResult(end))
        {
            return;
        }

        if (_headers.TrySetException(ToException(end)))
        {
            // A failure that nobody looks at here shows itself in the response.
            _ = _headers.Task.Exception;
        }

        // The request may still be streaming, and the response may have bytes that nobody will read.
        _cancellation.Cancel();
        _cancellation.Dispose();
        _response?.Dispose();
    }
}
