using Grpc.AspNetCore.Server;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LoraServe.Grpc.Server;

/// <summary>What all calls of an application share: settings, interceptors, the clock, and which services are mapped.</summary>
internal sealed class GrpcServer
{
    public GrpcServer(IServiceProvider services, IOptions<GrpcServiceOptions> options, ILoggerFactory loggerFactory)
    {
        Options = options.Value;
        Interceptors = [.. Options.Interceptors.Select(interceptor => interceptor.Create(services))];
        Logger = loggerFactory.CreateLogger("Grpc.AspNetCore.Server");
        TimeProvider = services.GetService(typeof(TimeProvider)) as TimeProvider ?? TimeProvider.System;
    }

    public GrpcServiceOptions Options { get; }

    public IReadOnlyList<Interceptor> Interceptors { get; }

    public ILogger Logger { get; }

    public TimeProvider TimeProvider { get; }

    /// <summary>The generated static classes of the mapped services, in the order of their mapping.</summary>
    public List<Type> ServiceTypes { get; } = [];
}
