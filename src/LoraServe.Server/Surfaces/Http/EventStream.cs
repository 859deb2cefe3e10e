using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Surfaces.Http;

/// <summary>An answer as server-sent events. It begins with its first event, so that what fails before still has a status of its own.</summary>
/// <remarks>Who has gone is noticed at once; who does not read is cut off by <see cref="AnswerPatience"/>.</remarks>
internal sealed class EventStream(HttpContext context)
{
    private const string ContentType = "text/event-stream";

    private readonly PipeWriter _writer = context.Response.BodyWriter;

    /// <summary>Whether an answer that has begun is one.</summary>
    public static bool IsBegun(HttpContext context) => context.Response is { HasStarted: true, ContentType: ContentType };

    /// <summary>Sends an event with a message.</summary>
    public Task WriteAsync<T>(T message, JsonTypeInfo<T> type)
    {
        Begin();
        _writer.Write("data: "u8);
        using (var json = new Utf8JsonWriter(_writer, new JsonWriterOptions { Encoder = type.Options.Encoder, SkipValidation = true }))
        {
            JsonSerializer.Serialize(json, message, type);
        }

        return EndEventAsync();
    }

    /// <summary>Sends an event with a text of one line.</summary>
    public Task WriteAsync(ReadOnlySpan<byte> line)
    {
        Begin();
        _writer.Write("data: "u8);
        _writer.Write(line);
        return EndEventAsync();
    }

    private void Begin()
    {
        if (!context.Response.HasStarted)
        {
            context.Response.ContentType = ContentType;
            context.Response.Headers.CacheControl = "no-cache";
        }
    }

    private async Task EndEventAsync()
    {
        _writer.Write("\n\n"u8);
        await AnswerPatience.WaitAsync(context, FlushAsync()).ConfigureAwait(false);

        async ValueTask FlushAsync() => await _writer.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }
}
