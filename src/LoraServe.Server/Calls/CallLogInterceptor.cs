using Grpc.Core;
using Grpc.Core.Interceptors;
using LoraServe.Server.Access;
using Microsoft.Extensions.Logging;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Calls;

/// <summary>Writes one line into the log for each call that has ended. The outermost interceptor, so that it sees the status that callers get.</summary>
internal sealed partial class CallLogInterceptor(ILogger<CallLogInterceptor> logger, TimeProvider time) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        Log(() => continuation(request, context), context, RequestIdOf(request));

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        Log(() => continuation(requestStream, context), context, requestId: "");

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        Log(() => Run(continuation(request, responseStream, context)), context, RequestIdOf(request));

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        Log(() => Run(continuation(requestStream, responseStream, context)), context, requestId: "");

    private static async Task<string> Run(Task call)
    {
        await call.ConfigureAwait(false);
        return "";
    }

    private async Task<TResponse> Log<TResponse>(Func<Task<TResponse>> call, ServerCallContext context, string requestId)
        where TResponse : class
    {
        long began = time.GetTimestamp();
        StatusCode status = StatusCode.Unknown;
        try
        {
            TResponse response = await call().ConfigureAwait(false);
            status = context.Status.StatusCode;
            requestId = requestId.Length > 0 ? requestId : RequestIdOf(response);
            return response;
        }
        catch (RpcException exception)
        {
            status = exception.StatusCode;
            throw;
        }
        finally
        {
            // Probes come every few seconds and say nothing new.
            LogLevel level = context.Method.StartsWith("/grpc.", StringComparison.Ordinal) ? LogLevel.Debug : LogLevel.Information;
            string tenant = Caller.Find(context)?.Tenant ?? "";
            double milliseconds = time.GetElapsedTime(began).TotalMilliseconds;
            LogCall(level, context.Method, status, tenant, milliseconds, requestId);
        }
    }

    /// <summary>What callers name their request, or the server did in its answer.</summary>
    private static string RequestIdOf(object message) => message switch
    {
        Proto.GenerateRequest generate => generate.RequestId,
        Proto.ChatRequest chat => chat.RequestId,
        Proto.ScoreRequest score => score.RequestId,
        Proto.EmbedRequest embed => embed.RequestId,
        Proto.GenerateResponse generated => generated.RequestId,
        Proto.ScoreResponse scored => scored.RequestId,
        Proto.EmbedResponse embedded => embedded.RequestId,
        _ => "",
    };
}
