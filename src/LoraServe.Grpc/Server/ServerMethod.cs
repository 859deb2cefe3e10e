using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace LoraServe.Grpc.Server;

/// <summary>Runs the calls of one method: reads the request's headers, runs the handler, and turns whatever happens into a status.</summary>
internal sealed class ServerMethod<TRequest, TResponse>(
    GrpcServer server,
    Method<TRequest, TResponse> method,
    Func<ServerStreamReader<TRequest>, ServerStreamWriter<TResponse>, HttpServerCallContext, Task> handler)
    where TRequest : class
    where TResponse : class
{
    public async Task HandleAsync(HttpContext http)
    {
        if (!GrpcRequest.Accept(http))
        {
            return;
        }

        LiftBodyLimits(http);
        var context = new HttpServerCallContext(http, server);
        using CallLifetime lifetime = context.Lifetime;
        using var responses = new ServerStreamWriter<TResponse>(context, method.ResponseMarshaller, server.Options.MaxSendMessageSize);
        Status status;
        try
        {
            context.Start();
            var requests = new ServerStreamReader<TRequest>(context, method.RequestMarshaller, server.Options.MaxReceiveMessageSize);
            await handler(requests, responses, context).ConfigureAwait(false);
            status = context.Status;
        }
        catch (Exception e)
        {
            status = StatusOf(e, context);
        }

        await lifetime.EndAsync(status).ConfigureAwait(false);
    }

    private Status StatusOf(Exception exception, HttpServerCallContext context)
    {
        if (exception is RpcException rpc)
        {
            foreach (Metadata.Entry entry in rpc.Trailers)
            {
                context.ResponseTrailers.Add(entry);
            }

            ServerLog.CallFailed(server.Logger, method.FullName, rpc.StatusCode, rpc.Status.Detail);
            return rpc.Status;
        }

        if (context.Lifetime.IsDeadlineExceeded)
        {
            return CallLifetime.DeadlineExceeded;
        }

        if (context.HttpContext.RequestAborted.IsCancellationRequested)
        {
            return new Status(StatusCode.Cancelled, "The client went away.");
        }

        ServerLog.HandlerFailed(server.Logger, method.FullName, exception);
        return new Status(
            StatusCode.Unknown,
            server.Options.EnableDetailedErrors == true ? $"{exception.GetType().Name}: {exception.Message}" : "The service failed unexpectedly.");
    }

    /// <summary>Every message has its own limit, and a stream may rest, so the limits on whole bodies do not apply.</summary>
    private void LiftBodyLimits(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (method.Type is MethodType.ClientStreaming or MethodType.DuplexStreaming
            && http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }
}
