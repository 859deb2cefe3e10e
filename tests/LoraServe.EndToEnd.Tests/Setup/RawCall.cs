using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using Google.Protobuf;
using Grpc.Core;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>HTTP/2 requests that no gRPC client would send.</summary>
internal static class RawCall
{
    public static byte[] Frame(byte[] payload, byte flag = 0)
    {
        byte[] frame = new byte[5 + payload.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), payload.Length);
        payload.CopyTo(frame, 5);
        return frame;
    }

    public static byte[] Frame(IMessage message) => Frame(message.ToByteArray());

    public static byte[] Gzip(byte[] plain)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Optimal))
        {
            gzip.Write(plain);
        }

        return output.ToArray();
    }

    /// <summary>Sends one request and reads its whole answer.</summary>
    /// <param name="server">The server.</param>
    /// <param name="method">Such as <c>loraserve.v1.Inference/Tokenize</c>.</param>
    /// <param name="body">The body as it is.</param>
    /// <param name="header">A header beside those that calls need.</param>
    /// <param name="contentType">What the body calls itself.</param>
    public static async Task<RawAnswer> SendAsync(TestServer server, string method, byte[] body, (string Name, string Value)? header = null, string contentType = "application/grpc")
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Host.Address, method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.TryAddWithoutValidation("content-type", contentType);
        request.Headers.TE.Add(new("trailers"));
        if (header is { } one)
        {
            request.Headers.TryAddWithoutValidation(one.Name, one.Value);
        }

        using HttpResponseMessage response = await client.SendAsync(request);
        byte[] content = await response.Content.ReadAsByteArrayAsync();
        Dictionary<string, string> headers = response.Headers.NonValidated.Concat(response.TrailingHeaders.NonValidated)
            .ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        return new RawAnswer(response.StatusCode, headers, content.Length);
    }
}

/// <summary>What came back.</summary>
internal sealed record RawAnswer(HttpStatusCode Http, Dictionary<string, string> Headers, int BodyLength)
{
    public StatusCode Status => (StatusCode)int.Parse(Headers["grpc-status"], CultureInfo.InvariantCulture);

    public string Message => Uri.UnescapeDataString(Headers.GetValueOrDefault("grpc-message", ""));
}
