using LoraServe.Grpc.Reflection;
using Microsoft.AspNetCore.Routing;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps server reflection to endpoints.</summary>
public static class GrpcReflectionEndpointRouteBuilderExtensions
{
    /// <summary>Maps reflection, versions 1 and 1 alpha, over all services that are mapped before or after it.</summary>
    public static IEndpointConventionBuilder MapGrpcReflectionService(this IEndpointRouteBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return new GrpcServiceEndpointConventionBuilder(
            [builder.MapGrpcService<ReflectionService>(), builder.MapGrpcService<ReflectionV1AlphaService>()]);
    }
}
