using System.Net;
using Grpc.HealthCheck;
using LoraServe.Server.Access;
using LoraServe.Server.AdapterManagement;
using LoraServe.Server.Calls;
using LoraServe.Server.Errors;
using LoraServe.Server.Inference;
using LoraServe.Server.Metrics;
using LoraServe.Server.Options;
using LoraServe.Server.Training;
using LoraServe.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using Proto = LoraServe.V1;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace LoraServe.Server;

/// <summary>The server: one model behind gRPC, with health, reflection and metrics. Runs in any process.</summary>
public sealed class LoraServeHost : IAsyncDisposable
{
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromSeconds(5);

    /// <summary>What health checks may ask for; the empty name is the whole server.</summary>
    private static readonly string[] s_services = ["", Proto.Inference.Descriptor.FullName, Proto.Adapters.Descriptor.FullName, Proto.Training.Descriptor.FullName];

    private readonly WebApplication _application;
    private readonly InferenceEngine _engine;
    private readonly TrainingJobs? _training;
    private readonly HealthServiceImpl _health;
    private readonly MeterProvider? _exporter;
    private readonly TimeSpan _drainTimeout;

    private LoraServeHost(
        WebApplication application, ServedModel served, HealthServiceImpl health, MeterProvider? exporter, TimeSpan drainTimeout, Uri address, Uri httpAddress)
    {
        _application = application;
        _engine = served.Engine;
        _training = served.Training;
        _health = health;
        _exporter = exporter;
        _drainTimeout = drainTimeout;
        Address = address;
        HttpAddress = httpAddress;
    }

    /// <summary>Where gRPC is, such as <c>http://localhost:8080</c>.</summary>
    public Uri Address { get; }

    /// <summary>Where <c>/metrics</c> and <c>/healthz</c> are.</summary>
    public Uri HttpAddress { get; }

    /// <summary>Starts to listen. The engine is the caller's: dispose the host first, then the engine.</summary>
    /// <param name="served">The model and its engine.</param>
    /// <param name="options">Where to listen.</param>
    /// <param name="access">Who may call.</param>
    /// <param name="configureLogging">Where logs go; to nowhere by default.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="OptionsValidationException">An option is out of range; the message lists all that are.</exception>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<LoraServeHost> StartAsync(
        ServedModel served, ServerOptions options, AccessOptions access, Action<ILoggingBuilder>? configureLogging = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(served);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(access);
        OptionChecks.Check(options, access);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        configureLogging?.Invoke(builder.Logging);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.AddSingleton(served);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new CallerDirectory(access));
        builder.Services.AddSingleton(services => new MetricsPage(served.Engine, access, services.GetRequiredService<CallerDirectory>()));
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.MaxReceiveMessageBytes;
            grpc.Interceptors.Add<CallLogInterceptor>();
            grpc.Interceptors.Add<ErrorInterceptor>();
            grpc.Interceptors.Add<AccessInterceptor>();
        });
        var health = new HealthServiceImpl();
        builder.Services.AddSingleton(health);
        builder.Services.AddGrpcReflection();

        WebApplication application = builder.Build();
        application.MapGrpcService<InferenceService>();
        application.MapGrpcService<AdaptersService>();
        application.MapGrpcService<TrainingService>();
        application.MapGrpcService<HealthServiceImpl>();
        application.MapGrpcReflectionService();
        application.Services.GetRequiredService<MetricsPage>().Map(application);
        application.MapGet("/healthz", () => Results.Text("ok\n"));
        MeterProvider? exporter = options.OtlpEndpoint is { } endpoint ? OtlpExport.Start(endpoint) : null;
        await application.StartAsync(cancellationToken).ConfigureAwait(false);
        SetHealth(health, ServingStatus.Serving);

        ICollection<string> addresses = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return new LoraServeHost(application, served, health, exporter, options.DrainTimeout, new Uri(addresses.First()), new Uri(addresses.Last()));
    }

    /// <summary>Tells health checks that it is going, stops training, takes no new requests, lets running ones end within the drain timeout, then stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        SetHealth(_health, ServingStatus.NotServing);
        if (_training is not null)
        {
            // Requests that run need the machine now, and who watches a job would hold up the stop.
            await _training.DisposeAsync().ConfigureAwait(false);
        }

        using var timeout = new CancellationTokenSource(_drainTimeout);
        try
        {
            await _engine.DrainAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Who still runs now is cut off by the stop below.
        }

        using var stopNow = new CancellationTokenSource(s_stopTimeout);
        await _application.StopAsync(stopNow.Token).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        _exporter?.Dispose();
    }

    private static void SetHealth(HealthServiceImpl health, ServingStatus status)
    {
        foreach (string service in s_services)
        {
            health.SetStatus(service, status);
        }
    }

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options)
    {
        // Without TLS a port speaks either HTTP/2 or HTTP/1.1, and what scrapes metrics speaks only the latter.
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = null;
        ListenOn(kestrel, options.Host, options.Port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (options.CertificateFile is { } certificate)
            {
                listen.UseHttps(ServerCertificate.Load(certificate, options.CertificateKeyFile));
            }
        });
        ListenOn(kestrel, options.Host, options.HttpPort ?? (options.Port == 0 ? 0 : options.Port + 1), listen => listen.Protocols = HttpProtocols.Http1);
    }

    private static void ListenOn(KestrelServerOptions kestrel, string host, int port, Action<ListenOptions> configure)
    {
        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            kestrel.Listen(address, port, configure);
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

    /// <summary>The process's signals are the caller's business, who drains before the host stops.</summary>
    private sealed class CallersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
