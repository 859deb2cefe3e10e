using System.ComponentModel.DataAnnotations;

namespace LoraServe.Server.Options;

/// <summary>Where the server listens and what it tells. Configuration section <c>LoraServe:Server</c>.</summary>
public sealed class ServerOptions
{
    /// <summary>The address to listen on: an IP address, <c>localhost</c>, a name of this machine, or <c>*</c> for all addresses.</summary>
    /// <value>localhost by default: nobody but this machine. 0.0.0.0 for everybody; set keys first.</value>
    [Required]
    public string Host { get; set; } = "localhost";

    /// <summary>The port of gRPC over HTTP/2, and of REST over HTTP/2; 0 takes a free one. With a certificate it speaks HTTP/1.1, too.</summary>
    /// <value>8080 by default.</value>
    [Range(0, 65_535)]
    public int Port { get; set; } = 8080;

    /// <summary>The port of REST (without a certificate), <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c> over HTTP/1.1; 0 takes a free one, null the one after <see cref="Port"/>.</summary>
    [Range(0, 65_535)]
    public int? HttpPort { get; set; }

    /// <summary>A PEM certificate for TLS on <see cref="Port"/>; null for plain HTTP/2. With one, the API is not served on the other port, which has no TLS.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>The certificate's PEM key.</summary>
    public string? CertificateKeyFile { get; set; }

    /// <summary>Greatest message of gRPC, and body of REST, taken, in bytes. Uploads come in many messages.</summary>
    /// <value>4 MiB by default.</value>
    [Range(1024, int.MaxValue)]
    public int MaxReceiveMessageBytes { get; set; } = 4 << 20;

    /// <summary>Most connections at once, over both ports; more are closed as they come.</summary>
    /// <value>4096 by default.</value>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 4096;

    /// <summary>How long an upload may send nothing, or next to nothing, and the reader of an answer over REST take nothing, before it is ended.</summary>
    /// <value>1 minute by default.</value>
    public TimeSpan MaxUploadPause { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Where metrics are sent over OTLP, such as <c>http://collector:4317</c>; null for nowhere.</summary>
    public Uri? OtlpEndpoint { get; set; }

    /// <summary>How long running requests may go on after the server is told to stop.</summary>
    /// <value>30 seconds by default.</value>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a step of the engine may take before health checks say that the server does not serve.</summary>
    /// <value>5 minutes by default, which a large model on a slow machine stays below.</value>
    public TimeSpan MaxStepTime { get; set; } = TimeSpan.FromMinutes(5);
}
