using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoraServe.Server.Surfaces.Grpc.Errors;

/// <summary>Gives callers the right status for what a service throws, and the log what callers must not see.</summary>
internal sealed partial class ErrorInterceptor(IHostApplicationLifetime lifetime, ILogger<ErrorInterceptor> logger, TimeProvider time) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        Guard(() => continuation(request, context), context);

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        Guard(() => continuation(requestStream, context), context, isStreamed: true);

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        Guard(() => Run(continuation(request, responseStream, context)), context);

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        Guard(() => Run(continuation(requestStream, responseStream, context)), context, isStreamed: true);

    private static async Task<bool> Run(Task call)
    {
        await call.ConfigureAwait(false);
        return true;
    }

    private async Task<TResponse> Guard<TResponse>(Func<Task<TResponse>> call, ServerCallContext context, bool isStreamed = false)
    {
        try
        {
            ThrowIfLate(context);
            return await call().ConfigureAwait(false);
        }
        catch (Exception exception) when (IsOfABrokenStream(exception, isStreamed) || (context.CancellationToken.IsCancellationRequested && IsOfAnEndedCall(exception)))
        {
            ThrowIfLate(context);
            throw new RpcException(lifetime.ApplicationStopping.IsCancellationRequested
                ? new Status(StatusCode.Unavailable, "The server is stopping. Call another, or again later.")
                : new Status(StatusCode.Cancelled, "The caller went away."));
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            if (ErrorStatus.Of(exception) is { } status)
            {
                throw status;
            }

            LogFault(context.Method, exception);
            throw new RpcException(new Status(StatusCode.Internal, "The server failed on this call; its log says why."));
        }
    }

    private void ThrowIfLate(ServerCallContext context)
    {
        if (context.Deadline <= time.GetUtcNow().UtcDateTime)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, "The call's deadline passed before the answer was complete."));
        }
    }

    /// <summary>
    /// Whether a caller that sends a stream broke it off, perhaps before the call itself knows. A disk that fails is an
    /// <see cref="LoraServe.Serving.Requests.EngineException"/> in these calls, so that what is left is the connection's.
    /// </summary>
    private static bool IsOfABrokenStream(Exception exception, bool isStreamed) => isStreamed && exception is IOException and not BadHttpRequestException;

    /// <summary>Reading or writing a call that has ended fails with the second or the third where it was not waited for.</summary>
    private static bool IsOfAnEndedCall(Exception exception) => exception is OperationCanceledException or InvalidOperationException or IOException;

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "Call of {Method} failed.")]
    private partial void LogFault(string method, Exception exception);
}
