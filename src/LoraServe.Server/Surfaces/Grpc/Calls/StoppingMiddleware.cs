using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace LoraServe.Server.Surfaces.Grpc.Calls;

/// <summary>Ends calls that wait for their caller or for news when the server stops, which would else wait for them.</summary>
internal sealed class StoppingMiddleware(RequestDelegate next, IHostApplicationLifetime lifetime)
{
    /// <summary>Inference ends with the engine, when the last word of each answer is written; the health service ends by itself.</summary>
    private static readonly string[] s_endByThemselves = [$"/{V1.Inference.Descriptor.FullName}/", "/grpc.health.v1.Health/"];

    public async Task InvokeAsync(HttpContext context)
    {
        if (Array.Exists(s_endByThemselves, service => context.Request.Path.Value!.StartsWith(service, StringComparison.Ordinal)))
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        context.RequestAborted = ended.Token;
        await next(context).ConfigureAwait(false);
    }
}
