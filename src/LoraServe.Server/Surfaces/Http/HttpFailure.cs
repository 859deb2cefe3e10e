using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Surfaces.Http;

/// <summary>What a request over HTTP is answered that fails, before a surface puts it into its own shape.</summary>
/// <param name="Status">HTTP's status.</param>
/// <param name="Message">What was wrong, what was expected, what to do.</param>
/// <param name="Kind">The engine's name for it; null where HTTP itself refuses, or the server is at fault.</param>
/// <param name="Field">The field of the request that it is about; null where it is about none.</param>
/// <param name="RetryAfter">When the same request may come again; null where that would not help.</param>
internal sealed record HttpFailure(int Status, string Message, EngineError? Kind = null, string? Field = null, TimeSpan? RetryAfter = null)
{
    /// <summary>When to ask again a server that cannot answer now and knows no better: about as long as another takes to be in its place.</summary>
    private static readonly TimeSpan s_unavailable = TimeSpan.FromSeconds(1);

    /// <summary>What a caller is told of a fault of the server.</summary>
    public static HttpFailure Fault { get; } = new(StatusCodes.Status500InternalServerError, "The server failed on this request; its log says why.");

    /// <summary>The failure that an exception is; null for a fault of the server, whose details are not the caller's business.</summary>
    public static HttpFailure? Of(Exception exception) => exception switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } =>
            new HttpFailure(StatusCodes.Status408RequestTimeout, "The request's body came too slowly. Send it without pauses."),
        BadHttpRequestException refused => new HttpFailure(refused.StatusCode, refused.Message),
        _ => Refusals.Of(exception) is { } refusal ? Of(refusal) : null,
    };

    private static HttpFailure Of(EngineException refusal)
    {
        int status = Refusals.NamesOf(refusal.Error).Http;
        TimeSpan? wait = refusal.RetryAfter ?? (status == StatusCodes.Status503ServiceUnavailable ? s_unavailable : null);
        return new HttpFailure(status, refusal.Message, refusal.Error, refusal.Field, wait);
    }
}
