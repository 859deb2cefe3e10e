using System.Net;
using Grpc.Core;
using LoraServe.Grpc.Client;

namespace Grpc.Net.Client;

/// <summary>A way to one server over HTTP/2: "http" addresses without, "https" ones with TLS. Thread-safe; use one for many calls.</summary>
public sealed class GrpcChannel : ChannelBase, IDisposable
{
    private readonly CancellationTokenSource _shutdown = new();
    private readonly bool _ownsClient;
    private bool _disposed;

    private GrpcChannel(Uri address, GrpcChannelOptions options)
        : base(address.Authority)
    {
        Address = address;
        Options = options;
        _ownsClient = options.DisposeHttpClient || (options.HttpClient is null && options.HttpHandler is null);
        HttpClient = options.HttpClient ?? new HttpClient(options.HttpHandler ?? CreateHandler(), disposeHandler: _ownsClient)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    internal Uri Address { get; }

    internal GrpcChannelOptions Options { get; }

    internal HttpClient HttpClient { get; }

    internal CancellationToken ShutdownToken => _shutdown.Token;

    /// <summary>Creates a channel; it connects at its first call.</summary>
    /// <param name="address">Such as "http://localhost:8080".</param>
    /// <exception cref="ArgumentException">The address is not an absolute http or https address.</exception>
    public static GrpcChannel ForAddress(string address) => ForAddress(address, new GrpcChannelOptions());

    /// <inheritdoc cref="ForAddress(string)"/>
    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions) =>
        ForAddress(
            Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) ? uri : throw new ArgumentException(AddressError(address), nameof(address)),
            channelOptions);

    /// <inheritdoc cref="ForAddress(string)"/>
    public static GrpcChannel ForAddress(Uri address) => ForAddress(address, new GrpcChannelOptions());

    /// <inheritdoc cref="ForAddress(string)"/>
    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(channelOptions);
        if (!address.IsAbsoluteUri || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
        {
            throw new ArgumentException(AddressError(address.ToString()), nameof(address));
        }

        return new GrpcChannel(address, channelOptions);
    }

    /// <inheritdoc/>
    public override CallInvoker CreateCallInvoker()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new HttpCallInvoker(this);
    }

    /// <summary>Cancels running calls and closes the connections.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _shutdown.Cancel();
        if (_ownsClient)
        {
            HttpClient.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }

    // A server limits the streams of one connection; more calls than that open another.
    private static SocketsHttpHandler CreateHandler() => new() { EnableMultipleHttp2Connections = true };

    private static string AddressError(string address) => $"'{address}' is not an address such as http://localhost:8080 or https://example.org.";
}
