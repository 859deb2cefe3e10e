using LoraServe.Server.Access;
using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Surfaces;

/// <summary>A refusal as an answer of plain HTTP: the kind's status, and the reason as text.</summary>
internal static class HttpRefusal
{
    public static Task WriteAsync(HttpContext context, EngineException refusal)
    {
        context.Response.StatusCode = Refusals.NamesOf(refusal.Error).Http;
        if (refusal.Error == EngineError.Unauthenticated)
        {
            context.Response.Headers.WWWAuthenticate = AccessHandler.Scheme;
        }

        return context.Response.WriteAsync($"{refusal.Message}\n", context.RequestAborted);
    }
}
