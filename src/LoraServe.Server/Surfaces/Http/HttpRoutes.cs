using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LoraServe.Server.Surfaces.Http;

/// <summary>Paths of a surface, each with one method.</summary>
internal static class HttpRoutes
{
    /// <summary>Takes requests with one method, and says of others that they are not allowed: beside gRPC, whose services are any path with any method, ASP.NET Core does not.</summary>
    public static IEndpointConventionBuilder Take(this IEndpointRouteBuilder endpoints, string method, string pattern, RequestDelegate answer)
    {
        endpoints.Map(pattern, context =>
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = method;
            return Task.CompletedTask;
        });
        return endpoints.MapMethods(pattern, [method], answer);
    }
}
