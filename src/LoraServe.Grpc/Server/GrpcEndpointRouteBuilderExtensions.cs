using System.Reflection;
using Grpc.Core;
using LoraServe.Grpc.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps gRPC services to endpoints.</summary>
public static class GrpcEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps the methods of a service to "/service/method". One instance, from the service provider or created with it,
    /// serves all calls. Calls of methods that nothing maps are answered with UNIMPLEMENTED.
    /// </summary>
    /// <typeparam name="TService">A class derived from a generated service base.</typeparam>
    /// <exception cref="InvalidOperationException">AddGrpc was not called, or the type is not a gRPC service.</exception>
    public static GrpcServiceEndpointConventionBuilder MapGrpcService<TService>(this IEndpointRouteBuilder builder)
        where TService : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        GrpcServer server = builder.ServiceProvider.GetService<GrpcServer>()
            ?? throw new InvalidOperationException("gRPC is not set up; call services.AddGrpc() first.");
        BindServiceMethodAttribute attribute = typeof(TService).GetCustomAttribute<BindServiceMethodAttribute>(inherit: true)
            ?? throw new InvalidOperationException($"{typeof(TService).Name} is not a gRPC service; derive it from a generated service base.");
        Type serviceBase = typeof(TService);
        while (serviceBase.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is null)
        {
            serviceBase = serviceBase.BaseType!;
        }

        MethodInfo bind = attribute.BindType.GetMethod(attribute.BindMethodName, [typeof(ServiceBinderBase), serviceBase])
            ?? throw new InvalidOperationException($"{attribute.BindType.Name}.{attribute.BindMethodName}(ServiceBinderBase, {serviceBase.Name}) does not exist.");

        if (server.ServiceTypes.Count == 0)
        {
            builder.MapMethods("/{service}/{method}", [HttpMethods.Post], (RequestDelegate)GrpcRequest.RefuseUnknownMethod)
                .Add(endpoint => ((RouteEndpointBuilder)endpoint).Order = int.MaxValue);
        }

        var binder = new ServerMethodBinder(builder, server);
        bind.Invoke(null, [binder, ActivatorUtilities.GetServiceOrCreateInstance<TService>(builder.ServiceProvider)]);
        server.ServiceTypes.Add(attribute.BindType);
        return new GrpcServiceEndpointConventionBuilder(binder.Endpoints);
    }
}
