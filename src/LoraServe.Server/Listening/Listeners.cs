using System.Net;
using LoraServe.Server.Options;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LoraServe.Server.Listening;

/// <summary>The two ports, and what a connection may ask of them before it has sent anything useful.</summary>
internal static class Listeners
{
    public static void Configure(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        Limit(kestrel.Limits, options);

        // Without TLS a port speaks either HTTP/2 or HTTP/1.1, and most clients of REST, and what scrapes metrics, speak only the latter.
        Listen(kestrel, options.Host, options.Port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (options.CertificateFile is { } certificate)
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(ServerCertificate.Load(certificate, options.CertificateKeyFile));
            }
        });
        Listen(kestrel, options.Host, options.HttpPort ?? (options.Port == 0 ? 0 : options.Port + 1), listen => listen.Protocols = HttpProtocols.Http1);
    }

    /// <summary>
    /// Who connects and sends nothing, or slowly, goes; who waits quietly for an answer stays, for as long as it answers pings. Streams of
    /// messages have their own bound, which is their surface's.
    /// </summary>
    private static void Limit(KestrelServerLimits limits, ServerOptions options)
    {
        limits.MaxRequestBodySize = null; // messages have a limit, and uploads one on what they bring together
        limits.MaxConcurrentConnections = options.MaxConnections;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(10));
        limits.Http2.MaxStreamsPerConnection = 100;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromMinutes(1);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
    }

    private static void Listen(KestrelServerOptions kestrel, string host, int port, Action<ListenOptions> configure)
    {
        if (host != ListenAddress.Localhost)
        {
            kestrel.Listen(ListenAddress.TryResolve(host, out IPAddress? address, out string? error) ? address : throw new IOException(error), port, configure);
        }
        else if (port == 0)
        {
            // "localhost" is two addresses, which cannot share a port that nobody has chosen yet.
            kestrel.Listen(IPAddress.Loopback, port, configure);
        }
        else
        {
            kestrel.ListenLocalhost(port, configure);
        }
    }
}
