using System.Net;
using System.Security.Cryptography.X509Certificates;
using Grpc.AspNetCore.Server;
using Grpc.HealthCheck;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoraServe.Grpc.Tests;

/// <summary>Kestrel on a free loopback port with the echo service, health and reflection.</summary>
internal sealed class GrpcTestServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly List<GrpcChannel> _channels = [];

    private GrpcTestServer(WebApplication application, EchoService echo, bool tls)
    {
        _application = application;
        Echo = echo;
        var address = new Uri(application.Urls.Single());
        Address = new Uri($"{(tls ? "https" : "http")}://127.0.0.1:{address.Port}");
    }

    public Uri Address { get; }

    public HealthServiceImpl Health => _application.Services.GetRequiredService<HealthServiceImpl>();

    public EchoService Echo { get; }

    public static async Task<GrpcTestServer> StartAsync(Action<GrpcServiceOptions>? configure = null, X509Certificate2? certificate = null, Action<WebApplicationBuilder>? build = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = certificate is null ? HttpProtocols.Http2 : HttpProtocols.Http1AndHttp2;
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        builder.WebHost.UseKestrelHttpsConfiguration();
        var echo = new EchoService();
        builder.Services.AddSingleton(echo);
        builder.Services.AddGrpc(configure);
        builder.Services.AddGrpcReflection();
        builder.Services.AddSingleton<HealthServiceImpl>();
        build?.Invoke(builder);
        WebApplication application = builder.Build();
        application.MapGrpcReflectionService();
        application.MapGrpcService<EchoService>();
        application.MapGrpcService<HealthServiceImpl>();
        await application.StartAsync();
        return new GrpcTestServer(application, echo, certificate is not null);
    }

    public GrpcChannel Channel(GrpcChannelOptions? options = null)
    {
        var channel = GrpcChannel.ForAddress(Address, options ?? new GrpcChannelOptions());
        _channels.Add(channel);
        return channel;
    }

    public Echo.EchoClient Client(GrpcChannelOptions? options = null) => new(Channel(options));

    /// <summary>Stops the server as a terminating process does, with time for open calls.</summary>
    public Task StopAsync() => _application.StopAsync();

    public async ValueTask DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
    }
}
