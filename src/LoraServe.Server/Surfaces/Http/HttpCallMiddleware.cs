using System.Globalization;
using LoraServe.Server.Access;
using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace LoraServe.Server.Surfaces.Http;

/// <summary>What surrounds every request of a surface over plain HTTP: who calls, how much a body may bring, what a failure looks like, and one line in the log.</summary>
/// <param name="next">The endpoint.</param>
/// <param name="terms">What the surface wants.</param>
/// <param name="logger">The log.</param>
/// <param name="time">The clock.</param>
internal sealed partial class HttpCallMiddleware(RequestDelegate next, HttpTerms terms, ILogger<HttpCallMiddleware> logger, TimeProvider time)
{
    /// <summary>What a request is logged as whose caller went away: nginx's name for it.</summary>
    private const int CallerGone = 499;

    public async Task InvokeAsync(HttpContext context)
    {
        long began = time.GetTimestamp();
        int status = await AnswerAsync(context).ConfigureAwait(false);
        RequestContext? call = RequestContext.Find(context.Items);

        // A path that names nothing of ours is the caller's text, and stays out of the log.
        string route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText is { } known ? $"{context.Request.Method} {known}" : "A path that does not exist";
        double milliseconds = time.GetElapsedTime(began).TotalMilliseconds;
        LogCall(route, status, call?.Caller.Tenant ?? "", milliseconds, call?.RequestId ?? "");
    }

    private async Task<int> AnswerAsync(HttpContext context)
    {
        try
        {
            Admit(context);
            await next(context).ConfigureAwait(false);
            if (!context.Response.HasStarted && Unanswered(context) is { } nothing)
            {
                await RefuseAsync(context, nothing).ConfigureAwait(false);
            }

            return context.Response.StatusCode;
        }
        catch (Exception gone) when (gone is OperationCanceledException || (context.RequestAborted.IsCancellationRequested && gone is IOException))
        {
            return CallerGone;
        }
        catch (Exception failure)
        {
            if (HttpFailure.Of(failure) is not { } refusal)
            {
                LogFault(context.Request.Method, failure);
                refusal = HttpFailure.Fault;
            }

            await RefuseAsync(context, refusal).ConfigureAwait(false);
            return refusal.Status;
        }
    }

    private void Admit(HttpContext context)
    {
        context.Features.Set(terms);
        if (terms.WithTlsOnly && !context.Request.IsHttps)
        {
            throw new BadHttpRequestException("This port has no TLS, and keys and prompts do not come here in the clear. Call the port that has: it speaks HTTP/1.1, too.", StatusCodes.Status403Forbidden);
        }

        new RequestContext(Caller.Of(context), deadline: null).Attach(context.Items);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body)
        {
            body.MaxRequestBodySize = terms.MaxBodyBytes;
        }
    }

    private static HttpFailure? Unanswered(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => new HttpFailure(StatusCodes.Status404NotFound, $"Unknown request URL: {context.Request.Method} {Shown(context.Request.Path)}. Please check the URL for typos."),
        StatusCodes.Status405MethodNotAllowed => new HttpFailure(
            StatusCodes.Status405MethodNotAllowed, $"Not allowed to {context.Request.Method} on {Shown(context.Request.Path)}; it takes {context.Response.Headers.Allow}."),
        _ => null,
    };

    private async Task RefuseAsync(HttpContext context, HttpFailure failure)
    {
        if (EventStream.IsBegun(context))
        {
            // The status is gone; the failure is the stream's last event, and no other says that all is well.
            await new EventStream(context).WriteAsync(terms.Shape(failure)).ConfigureAwait(false);
            return;
        }

        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        HttpResponse response = context.Response;
        response.StatusCode = failure.Status;
        if (failure.Status == StatusCodes.Status413PayloadTooLarge)
        {
            failure = failure with { Message = $"The request's body has more than the {terms.MaxBodyBytes} bytes that the server takes. LoraServe:Server:MaxReceiveMessageBytes is the limit." };
        }

        if (failure.Kind == EngineError.Unauthenticated)
        {
            response.Headers.WWWAuthenticate = AccessHandler.Scheme;
        }

        if (failure.RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        try
        {
            await JsonAnswer.WriteAsync(context, terms.Shape(failure)).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // The caller did not wait for its answer.
        }
    }

    private static string Shown(PathString path) => path.Value is { Length: <= 200 } shown ? shown : "this path";

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "{Route}: {Status} for tenant '{Tenant}' in {Milliseconds:0.0} ms, request '{RequestId}'.")]
    private partial void LogCall(string route, int status, string tenant, double milliseconds, string requestId);

    [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "A {Method} request failed.")]
    private partial void LogFault(string method, Exception failure);
}
