using LoraServe.Grpc.Reflection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds server reflection to an application.</summary>
public static class GrpcReflectionServiceExtensions
{
    /// <summary>Adds what reflection needs.</summary>
    public static IServiceCollection AddGrpcReflection(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<ReflectionService>();
        services.TryAddSingleton<ReflectionV1AlphaService>();
        return services;
    }
}
