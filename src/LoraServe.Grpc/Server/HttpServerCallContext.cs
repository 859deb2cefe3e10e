using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using LoraServe.Grpc.Wire;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Grpc.Server;

/// <summary>A call on an HTTP/2 stream: what the client sent ahead of its messages, and what goes back around the responses.</summary>
internal sealed class HttpServerCallContext : ServerCallContext
{
    private readonly GrpcServer _server;
    private Metadata? _requestHeaders;
    private Metadata? _responseTrailers;
    private WriteOptions? _writeOptions;
    private bool _headersSet;

    public HttpServerCallContext(HttpContext http, GrpcServer server)
    {
        HttpContext = http;
        _server = server;
        Lifetime = new CallLifetime(this, http, server.TimeProvider);
    }

    public HttpContext HttpContext { get; }

    /// <summary>Who may write to the response, and when the call is over.</summary>
    public CallLifetime Lifetime { get; }

    /// <summary>The compression that the client announced for its messages.</summary>
    public string? RequestEncoding { get; private set; }

    /// <summary>Whether and how the next response is compressed.</summary>
    public CompressionLevel? Gzip { get; private set; }

    protected override string MethodCore => HttpContext.Request.Path.Value ?? "";

    protected override string HostCore => HttpContext.Request.Host.Value ?? "";

    protected override string PeerCore
    {
        get
        {
            ConnectionInfo connection = HttpContext.Connection;
            return connection.RemoteIpAddress switch
            {
                null => "unknown",
                { AddressFamily: AddressFamily.InterNetwork } v4 => string.Create(CultureInfo.InvariantCulture, $"ipv4:{v4}:{connection.RemotePort}"),
                IPAddress v6 => string.Create(CultureInfo.InvariantCulture, $"ipv6:[{v6}]:{connection.RemotePort}"),
            };
        }
    }

    protected override DateTime DeadlineCore => Lifetime.Deadline;

    protected override Metadata RequestHeadersCore => _requestHeaders ??= ReadRequestHeaders();

    protected override CancellationToken CancellationTokenCore => Lifetime.CancellationToken;

    protected override Metadata ResponseTrailersCore => _responseTrailers ??= [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore
    {
        get => _writeOptions;
        set => _writeOptions = value;
    }

    /// <summary>Reads what the client says about the call.</summary>
    /// <exception cref="RpcException">The protocol's headers are wrong, or ask for what is not here.</exception>
    public void Start()
    {
        IHeaderDictionary headers = HttpContext.Request.Headers;
        if (headers.TryGetValue(GrpcProtocol.TimeoutHeader, out var timeoutText))
        {
            if (!GrpcTimeout.TryParse(timeoutText.ToString(), out TimeSpan timeout))
            {
                throw GrpcProtocol.Error(StatusCode.Internal, "grpc-timeout is not up to eight digits and one of H, M, S, m, u, n.");
            }

            Lifetime.SetTimeout(timeout);
        }

        RequestEncoding = headers[GrpcProtocol.EncodingHeader];
        if (RequestEncoding is not (null or GrpcProtocol.IdentityEncoding or GrpcProtocol.GzipEncoding))
        {
            HttpContext.Response.Headers[GrpcProtocol.AcceptEncodingHeader] = GrpcProtocol.AcceptedEncodings;
            throw GrpcProtocol.Error(StatusCode.Unimplemented, $"Messages compressed with '{RequestEncoding}' are not supported; use one of: {GrpcProtocol.AcceptedEncodings}.");
        }
    }

    /// <summary>Puts the response headers in place, ahead of the first message or by themselves.</summary>
    public void SetHeaders(Metadata? custom = null)
    {
        if (_headersSet)
        {
            return;
        }

        _headersSet = true;
        string? encoding = _server.Options.ResponseCompressionAlgorithm;
        foreach (Metadata.Entry entry in custom ?? Metadata.Empty)
        {
            if (entry.Key == GrpcProtocol.EncodingRequestHeader)
            {
                encoding = entry.Value;
            }
            else
            {
                Append(HttpContext.Response.Headers, entry);
            }
        }

        if (encoding == GrpcProtocol.GzipEncoding && GrpcProtocol.AcceptsGzip(HttpContext.Request.Headers[GrpcProtocol.AcceptEncodingHeader]))
        {
            Gzip = _server.Options.ResponseCompressionLevel ?? CompressionLevel.Fastest;
            HttpContext.Response.Headers[GrpcProtocol.EncodingHeader] = GrpcProtocol.GzipEncoding;
        }
    }

    /// <summary>Writes the status: into trailers when messages went ahead of it, otherwise into the headers, which are then the whole response.</summary>
    public void SetStatus(Status status, Metadata trailers)
    {
        HttpResponse response = HttpContext.Response;
        IHeaderDictionary destination = _headersSet || response.HasStarted
            ? HttpContext.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpResponseTrailersFeature>()?.Trailers ?? new HeaderDictionary()
            : response.Headers;
        destination[GrpcProtocol.StatusHeader] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        if (status.Detail.Length > 0)
        {
            destination[GrpcProtocol.MessageHeader] = PercentEncoding.Encode(status.Detail);
        }

        foreach (Metadata.Entry entry in trailers)
        {
            Append(destination, entry);
        }
    }

    public void LogCancellationFailure(Exception exception) => ServerLog.CancellationFailed(_server.Logger, Method, exception);

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        if (_headersSet)
        {
            throw new InvalidOperationException("The response headers are sent already; send them before the first message, and once.");
        }

        Lifetime.EnterWrite();
        try
        {
            SetHeaders(responseHeaders);
            await HttpContext.Response.BodyWriter.FlushAsync(CancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Lifetime.ExitWrite();
        }
    }

    private static void Append(IHeaderDictionary destination, Metadata.Entry entry)
    {
        if (!MetadataHeader.IsReserved(entry.Key))
        {
            destination.Append(entry.Key, MetadataHeader.Format(entry));
        }
    }

    private Metadata ReadRequestHeaders()
    {
        var metadata = new Metadata();
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in HttpContext.Request.Headers)
        {
            if (!MetadataHeader.IsReserved(name))
            {
                foreach (string? value in values)
                {
                    MetadataHeader.AddReceived(metadata, name, value ?? "");
                }
            }
        }

        return metadata;
    }
}
