using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Surfaces.Http;

/// <summary>Reads the body of a request. How much and how slowly it may come is bounded before: by <see cref="HttpCallMiddleware"/> and by Kestrel.</summary>
internal static class JsonBody
{
    /// <exception cref="BadHttpRequestException">It is of another type, too large or too slow.</exception>
    /// <exception cref="Serving.Requests.EngineException">It is not what the type says; the message names the field.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        if (!context.Request.HasJsonContentType())
        {
            throw new BadHttpRequestException(
                "The request's body is not said to be JSON. Send the header 'Content-Type: application/json'.", StatusCodes.Status415UnsupportedMediaType);
        }

        if (context.Request.Headers.ContentEncoding.Count > 0)
        {
            throw new BadHttpRequestException("The request's body is compressed, which is not taken. Send it as it is.", StatusCodes.Status415UnsupportedMediaType);
        }

        using var body = new MemoryStream((int)Math.Min(context.Request.ContentLength ?? 0, 1 << 20));
        await context.Request.Body.CopyToAsync(body, context.RequestAborted).ConfigureAwait(false);
        return JsonMessage.Parse(body.GetBuffer().AsSpan(0, (int)body.Length), type);
    }
}
