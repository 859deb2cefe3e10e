using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LoraServe.Grpc.Server;

/// <summary>Makes an endpoint of every method of a service, with the server's interceptors around its handler.</summary>
internal sealed class ServerMethodBinder(IEndpointRouteBuilder endpoints, GrpcServer server) : ServiceBinderBase
{
    private readonly Interceptor[] _interceptors = [.. server.Interceptors.Reverse()];

    /// <summary>The endpoints made so far.</summary>
    public List<IEndpointConventionBuilder> Endpoints { get; } = [];

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        UnaryServerMethod<TRequest, TResponse> chain = Require(handler, method);
        foreach (Interceptor interceptor in _interceptors)
        {
            UnaryServerMethod<TRequest, TResponse> next = chain;
            chain = (request, context) => interceptor.UnaryServerHandler(request, context, next);
        }

        Map(method, async (requests, responses, context) =>
        {
            TRequest request = await requests.ReadSingleAsync().ConfigureAwait(false);
            await SendAsync(responses, chain(request, context), context).ConfigureAwait(false);
        });
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        ClientStreamingServerMethod<TRequest, TResponse> chain = Require(handler, method);
        foreach (Interceptor interceptor in _interceptors)
        {
            ClientStreamingServerMethod<TRequest, TResponse> next = chain;
            chain = (requests, context) => interceptor.ClientStreamingServerHandler(requests, context, next);
        }

        Map(method, (requests, responses, context) => SendAsync(responses, chain(requests, context), context));
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        ServerStreamingServerMethod<TRequest, TResponse> chain = Require(handler, method);
        foreach (Interceptor interceptor in _interceptors)
        {
            ServerStreamingServerMethod<TRequest, TResponse> next = chain;
            chain = (request, responses, context) => interceptor.ServerStreamingServerHandler(request, responses, context, next);
        }

        Map(method, async (requests, responses, context) =>
        {
            TRequest request = await requests.ReadSingleAsync().ConfigureAwait(false);
            await chain(request, responses, context).ConfigureAwait(false);
        });
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        DuplexStreamingServerMethod<TRequest, TResponse> chain = Require(handler, method);
        foreach (Interceptor interceptor in _interceptors)
        {
            DuplexStreamingServerMethod<TRequest, TResponse> next = chain;
            chain = (requests, responses, context) => interceptor.DuplexStreamingServerHandler(requests, responses, context, next);
        }

        Map(method, (requests, responses, context) => chain(requests, responses, context));
    }

    private static THandler Require<THandler>(THandler? handler, IMethod method)
        where THandler : Delegate =>
        handler ?? throw new InvalidOperationException($"The method {method.FullName} was bound without a handler.");

    private static async Task SendAsync<TResponse>(ServerStreamWriter<TResponse> responses, Task<TResponse> handling, ServerCallContext context)
        where TResponse : class
    {
        TResponse response = await handling.ConfigureAwait(false);
        if (context.Status.StatusCode == StatusCode.OK)
        {
            await responses.WriteSingleAsync(response).ConfigureAwait(false);
        }
    }

    private void Map<TRequest, TResponse>(
        Method<TRequest, TResponse> method,
        Func<ServerStreamReader<TRequest>, ServerStreamWriter<TResponse>, HttpServerCallContext, Task> handler)
        where TRequest : class
        where TResponse : class
    {
        RequestDelegate handle = new ServerMethod<TRequest, TResponse>(server, method, handler).HandleAsync;
        IEndpointConventionBuilder endpoint = endpoints.MapMethods(method.FullName, [HttpMethods.Post], handle);
        endpoint.Add(builder => builder.DisplayName = $"gRPC {method.FullName}");
        endpoint.WithMetadata(method);
        Endpoints.Add(endpoint);
    }
}
