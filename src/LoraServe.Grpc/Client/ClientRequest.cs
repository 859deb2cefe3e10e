using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using LoraServe.Grpc.Wire;

namespace LoraServe.Grpc.Client;

/// <summary>Makes the HTTP request of a call.</summary>
internal static class ClientRequest
{
    // A deadline further away than timers reach is enforced by the server alone.
    public static readonly TimeSpan LongestTimer = TimeSpan.FromDays(40);

    private static readonly ProductInfoHeaderValue s_userAgent = new("grpc-dotnet-loraserve", "0.1");

    /// <summary>The request without its body.</summary>
    public static HttpRequestMessage Create(Uri address, string path, string? host, CallOptions options, out bool gzip)
    {
        gzip = false;
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        HttpRequestHeaders headers = request.Headers;
        headers.Host = host;
        headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        headers.UserAgent.Add(s_userAgent);
        headers.TryAddWithoutValidation(GrpcProtocol.AcceptEncodingHeader, GrpcProtocol.AcceptedEncodings);
        if (options.Deadline is { } deadline && deadline != DateTime.MaxValue)
        {
            headers.TryAddWithoutValidation(GrpcProtocol.TimeoutHeader, GrpcTimeout.Format(deadline.ToUniversalTime() - DateTime.UtcNow));
        }

        foreach (Metadata.Entry entry in options.Headers ?? Metadata.Empty)
        {
            if (entry.Key == GrpcProtocol.EncodingRequestHeader)
            {
                gzip = entry.Value == GrpcProtocol.GzipEncoding;
            }
            else if (!MetadataHeader.IsReserved(entry.Key))
            {
                headers.TryAddWithoutValidation(entry.Key, MetadataHeader.Format(entry));
            }
        }

        return request;
    }

    /// <summary>Gives the request its body.</summary>
    public static void AddContent(HttpRequestMessage request, HttpContent content, bool gzip)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue(GrpcProtocol.ContentType);
        request.Content = content;
        if (gzip)
        {
            request.Headers.TryAddWithoutValidation(GrpcProtocol.EncodingHeader, GrpcProtocol.GzipEncoding);
        }
    }
}
