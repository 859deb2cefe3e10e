using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace LoraServe.Client;

/// <summary>Registers clients of a LoraServe server with a container.</summary>
public static class LoraServeClientServices
{
    /// <summary>Adds <see cref="LoraServeClient"/>, whose connections the HTTP client factory keeps.</summary>
    /// <param name="services">The container's services.</param>
    /// <param name="address">Such as <c>http://localhost:8080</c>.</param>
    /// <param name="configure">Key, limits and retry; null for the defaults.</param>
    /// <returns>The builder of its HTTP client, to add handlers to.</returns>
    public static IHttpClientBuilder AddLoraServeClient(this IServiceCollection services, Uri address, Action<LoraServeClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(address);
        var options = new LoraServeClientOptions();
        configure?.Invoke(options);
        IHttpClientBuilder client = services
            .AddGrpcClient<LoraServeClient>(grpc => grpc.Address = address)
            .ConfigureChannel(channel => Connection.Configure(channel, options))
            .ConfigurePrimaryHttpMessageHandler(() => Connection.Handler(options))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan); // a channel keeps its handler, and the handler renews its connections
        return options.Key is { } key ? client.AddInterceptor(() => new KeyInterceptor(key)) : client;
    }

    /// <summary>Adds <see cref="IChatClient"/> over the client of <see cref="AddLoraServeClient"/>; <see cref="ChatOptions.ModelId"/> names the adapter.</summary>
    /// <param name="services">The container's services.</param>
    /// <param name="adapter">The adapter where a call names none; empty for the base model.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddLoraServeChatClient(this IServiceCollection services, string adapter = "") =>
        services.AddSingleton(provider => provider.GetRequiredService<LoraServeClient>().AsChatClient(adapter));
}
