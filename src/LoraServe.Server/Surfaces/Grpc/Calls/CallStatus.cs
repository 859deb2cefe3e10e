using System.Globalization;
using Grpc.Core;
using LoraServe.Server.Surfaces.Grpc.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace LoraServe.Server.Surfaces.Grpc.Calls;

/// <summary>A call's status where it stands in the HTTP response: read for the log, written for answers that no service gives.</summary>
internal static class CallStatus
{
    private const string CodeHeader = "grpc-status";
    private const string MessageHeader = "grpc-message";

    /// <summary>The status that the caller gets; unknown where there is none.</summary>
    public static StatusCode Of(HttpContext context) =>
        int.TryParse(End(context)[CodeHeader].ToString(), CultureInfo.InvariantCulture, out int code) ? (StatusCode)code : StatusCode.Unknown;

    /// <summary>Ends a call, or says better how it ended.</summary>
    /// <param name="context">The call.</param>
    /// <param name="code">The status.</param>
    /// <param name="message">A sentence in printable ASCII without percent signs, which needs no encoding.</param>
    public static void Set(HttpContext context, StatusCode code, string message)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.ContentType = "application/grpc";
        }

        IHeaderDictionary end = End(context);
        end[CodeHeader] = ((int)code).ToString(CultureInfo.InvariantCulture);
        end[MessageHeader] = message;
    }

    /// <summary>Tells the caller's retry policy that the same call would end the same way.</summary>
    public static void ForbidRetry(HttpContext context) => End(context)[ErrorStatus.RetryHeader] = "-1";

    /// <summary>A call that fails before its first answer has all in its headers.</summary>
    private static IHeaderDictionary End(HttpContext context) =>
        context.Response.HasStarted && context.Features.Get<IHttpResponseTrailersFeature>() is { } trailers ? trailers.Trailers : context.Response.Headers;
}
