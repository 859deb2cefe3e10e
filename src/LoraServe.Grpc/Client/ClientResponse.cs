using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using LoraServe.Grpc.Wire;

namespace LoraServe.Grpc.Client;

/// <summary>Reads what surrounds the messages of a response.</summary>
internal static class ClientResponse
{
    /// <summary>The compression that the server announced for its messages.</summary>
    public static string? Encoding(HttpResponseMessage response) => Value(response.Headers, GrpcProtocol.EncodingHeader);

    /// <summary>The end of a call whose response is not gRPC; null when it is.</summary>
    public static CallEnd? Refusal(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            // A server that says in gRPC's words what is wrong knows better than the HTTP status.
            return response.Headers.Contains(GrpcProtocol.StatusHeader)
                ? EndOf(response, response.Headers)
                : Failed(CodeOf(response.StatusCode), $"The server answered with HTTP status {(int)response.StatusCode} instead of a gRPC response.");
        }

        string? contentType = response.Content.Headers.ContentType?.ToString();
        return GrpcProtocol.IsGrpcContentType(contentType)
            ? null
            : Failed(StatusCode.Unknown, $"The server answered with content type '{contentType}' instead of '{GrpcProtocol.ContentType}'.");
    }

    /// <summary>The status and trailers in the headers that end a response.</summary>
    public static CallEnd EndOf(HttpResponseMessage response, HttpResponseHeaders headers)
    {
        if (Value(headers, GrpcProtocol.StatusHeader) is not { } text)
        {
            return Failed(StatusCode.Internal, "The response ended without a gRPC status.");
        }

        StatusCode code = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= (int)StatusCode.Unauthenticated
            ? (StatusCode)number
            : StatusCode.Unknown;
        string detail = PercentEncoding.Decode(Value(headers, GrpcProtocol.MessageHeader) ?? "");
        return new CallEnd(new Status(code, detail), Metadata(headers));
    }

    /// <summary>The metadata among response headers or trailers.</summary>
    /// <exception cref="RpcException">INTERNAL: a binary header is not base64.</exception>
    public static Metadata Metadata(HttpResponseHeaders headers)
    {
        var metadata = new Metadata();
        foreach ((string name, HeaderStringValues values) in headers.NonValidated)
        {
            if (!MetadataHeader.IsReserved(name))
            {
                foreach (string value in values)
                {
                    MetadataHeader.AddReceived(metadata, name, value);
                }
            }
        }

        return metadata;
    }

    private static string? Value(HttpResponseHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out HeaderStringValues values) ? values.ToString() : null;

    private static CallEnd Failed(StatusCode code, string detail) => new(new Status(code, detail), global::Grpc.Core.Metadata.Empty);

    /// <summary>The code for a response of something that does not speak gRPC, such as a proxy, as the protocol defines it.</summary>
    private static StatusCode CodeOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.BadRequest => StatusCode.Internal,
        HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
        HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
        HttpStatusCode.NotFound => StatusCode.Unimplemented,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };
}
