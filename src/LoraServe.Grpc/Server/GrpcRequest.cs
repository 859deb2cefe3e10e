using Grpc.Core;
using LoraServe.Grpc.Wire;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Grpc.Server;

/// <summary>Tells gRPC requests from others.</summary>
internal static class GrpcRequest
{
    /// <summary>Whether a request is gRPC; if so, its response is made one too, otherwise it is refused with an HTTP status.</summary>
    public static bool Accept(HttpContext http)
    {
        if (!GrpcProtocol.IsGrpcContentType(http.Request.ContentType))
        {
            Refuse(http, StatusCodes.Status415UnsupportedMediaType, "The content type of a gRPC request starts with 'application/grpc'.");
            return false;
        }

        if (!HttpProtocol.IsHttp2(http.Request.Protocol) && !HttpProtocol.IsHttp3(http.Request.Protocol))
        {
            http.Response.Headers.Upgrade = "h2c";
            Refuse(http, StatusCodes.Status426UpgradeRequired, $"gRPC needs HTTP/2; the request came over {http.Request.Protocol}.");
            return false;
        }

        http.Response.ContentType = GrpcProtocol.ContentType;
        return true;
    }

    /// <summary>Answers a call of a method that is not here.</summary>
    public static Task RefuseUnknownMethod(HttpContext http)
    {
        if (!GrpcProtocol.IsGrpcContentType(http.Request.ContentType))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
        }
        else if (Accept(http))
        {
            http.Response.Headers[GrpcProtocol.StatusHeader] = "12";
            http.Response.Headers[GrpcProtocol.MessageHeader] = PercentEncoding.Encode($"There is no method {http.Request.Path} on this server.");
        }

        return Task.CompletedTask;
    }

    private static void Refuse(HttpContext http, int httpStatus, string message)
    {
        http.Response.StatusCode = httpStatus;
        http.Response.Headers[GrpcProtocol.StatusHeader] = ((int)StatusCode.Internal).ToString(System.Globalization.CultureInfo.InvariantCulture);
        http.Response.Headers[GrpcProtocol.MessageHeader] = PercentEncoding.Encode(message);
    }
}
