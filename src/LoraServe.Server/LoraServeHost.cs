using System.Net.Sockets;
using LoraServe.Jobs;
using LoraServe.Server.Access;
using LoraServe.Server.Health;
using LoraServe.Server.Listening;
using LoraServe.Server.Metrics;
using LoraServe.Server.Options;
using LoraServe.Server.Surfaces;
using LoraServe.Server.Surfaces.Grpc;
using LoraServe.Server.Surfaces.OpenAi;
using LoraServe.Server.Surfaces.Vllm;
using LoraServe.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;

namespace LoraServe.Server;

/// <summary>The server: one model behind gRPC and REST, with health, reflection and metrics. Runs in any process.</summary>
public sealed class LoraServeHost : IAsyncDisposable
{
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Categories that log with a stack trace, as the server's fault, what the exception of a start says already: a port that is taken, most often.</summary>
    private static readonly string[] s_tellTwice = ["Microsoft.AspNetCore.Server.Kestrel", "Microsoft.Extensions.Hosting.Internal.Host"];

    private readonly WebApplication _application;
    private readonly InferenceEngine _engine;
    private readonly TrainingJobs? _training;
    private readonly MeterProvider? _exporter;
    private readonly TimeSpan _drainTimeout;
    private bool _hasStopped;

    private LoraServeHost(WebApplication application, ServedModel served, MeterProvider? exporter, TimeSpan drainTimeout, Uri address, Uri httpAddress)
    {
        _application = application;
        _engine = served.Engine;
        _training = served.Training;
        _exporter = exporter;
        _drainTimeout = drainTimeout;
        Address = address;
        HttpAddress = httpAddress;
    }

    /// <summary>Where gRPC is, such as <c>http://localhost:8080</c>.</summary>
    public Uri Address { get; }

    /// <summary>Where REST, <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c> are, for HTTP/1.1.</summary>
    public Uri HttpAddress { get; }

    /// <summary>Starts to listen. The engine is the caller's: dispose the host first, then the engine.</summary>
    /// <param name="served">The model and its engine.</param>
    /// <param name="options">Where to listen.</param>
    /// <param name="access">Who may call.</param>
    /// <param name="configureLogging">Where logs go; to nowhere by default.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="OptionsValidationException">An option is out of range; the message lists all that are.</exception>
    /// <exception cref="IOException">The port is taken, or the address is not this machine's.</exception>
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
        bool isListening = false;
        foreach (string category in s_tellTwice)
        {
            builder.Logging.AddFilter(category, level => isListening && level >= LogLevel.Warning);
        }

        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listeners.Configure(kestrel, options));
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.AddSingleton(served);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(_ => new MetricsPage(served.Engine, access));
        AccessHandler.AddTo(builder.Services, access);
        HealthPages.AddTo(builder, served.Engine, options.MaxStepTime);
        GrpcSurface.AddTo(builder, options);
        OpenAiSurface.AddTo(builder);

        WebApplication application = builder.Build();
        application.UseAuthentication();
        GrpcSurface.Map(application, options);
        OpenAiSurface.Map(application, served, options);
        VllmSurface.Map(application, served, options);
        HealthPages.Map(application);
        application.Services.GetRequiredService<MetricsPage>().Map(application);
        MeterProvider? exporter = options.OtlpEndpoint is { } endpoint ? OtlpExport.Start(endpoint) : null;
        try
        {
            await application.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            exporter?.Dispose();
            await application.DisposeAsync().ConfigureAwait(false);
            if (failure is SocketException or IOException { InnerException: AddressInUseException })
            {
                string http = options.HttpPort is { } own ? $"{own}" : $"{options.Port + 1}, the next one or HttpPort,";
                throw new IOException(
                    $"Cannot listen on {options.Host}: {failure.Message.TrimEnd('.')}. Port {options.Port} is for gRPC, {http} for metrics and health; choose others.", failure);
            }

            throw;
        }

        isListening = true;
        await HealthPages.PublishAsync(application.Services).ConfigureAwait(false);

        ICollection<string> addresses = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return new LoraServeHost(application, served, exporter, options.DrainTimeout, new Uri(addresses.First()), new Uri(addresses.Last()));
    }

    /// <summary>
    /// Takes no new requests and tells health checks so, stops training, lets running requests end within the drain timeout, ends those that
    /// still run with UNAVAILABLE, then stops listening.
    /// </summary>
    /// <param name="hurry">Ends running requests now instead of waiting for them.</param>
    public async Task StopAsync(CancellationToken hurry = default)
    {
        if (Interlocked.Exchange(ref _hasStopped, true))
        {
            return;
        }

        Task drained = _engine.DrainAsync(CancellationToken.None);
        await HealthPages.PublishAsync(_application.Services).ConfigureAwait(false);

        // Training goes first: requests that run need the machine now, and who watches a job would hold up the stop.
        Task training = _training?.DisposeAsync().AsTask() ?? Task.CompletedTask;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(hurry);
        timeout.CancelAfter(_drainTimeout);
        await drained.WaitAsync(timeout.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _engine.CutOffAsync().ConfigureAwait(false);
        await training.ConfigureAwait(false);

        // What remains is who does not read the end of an answer.
        using var stopNow = new CancellationTokenSource(s_stopTimeout);
        await _application.StopAsync(stopNow.Token).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        _exporter?.Dispose();
    }

    /// <summary>Stops, if <see cref="StopAsync"/> has not done so.</summary>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    /// <summary>The process's signals are the caller's business, who drains before the host stops.</summary>
    private sealed class CallersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
