using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Surfaces.Http;

/// <summary>A whole answer as JSON.</summary>
internal static class JsonAnswer
{
    public static Task WriteAsync<T>(HttpContext context, T message, JsonTypeInfo<T> type) =>
        WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(message, type));

    public static async Task WriteAsync(HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await AnswerPatience.WaitAsync(context, context.Response.Body.WriteAsync(json, context.RequestAborted)).ConfigureAwait(false);
    }
}
