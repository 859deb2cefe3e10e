using LoraServe.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Health;

/// <summary>One answer to "does it serve?" in three places: gRPC's health service, <c>/readyz</c>, and, for "is it alive?", <c>/healthz</c>.</summary>
internal static class HealthSurface
{
    /// <summary>What gRPC's health checks may ask for beside the empty name, which is the whole server.</summary>
    private static readonly string[] s_services = [Proto.Inference.Descriptor.FullName, Proto.Adapters.Descriptor.FullName, Proto.Training.Descriptor.FullName];

    public static void AddTo(WebApplicationBuilder builder, InferenceEngine engine, TimeSpan longestStep)
    {
        builder.Services
            .AddGrpcHealthChecks(grpc => Array.ForEach(s_services, service => grpc.Services.Map(service, _ => true)))
            .AddCheck("engine", new EngineCheck(() => engine.Status, longestStep));

        // A server that stops is asked again and again, and each answer would be an error in the log.
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks.DefaultHealthCheckService", LogLevel.None);
    }

    public static void Map(WebApplication application)
    {
        application.MapGrpcHealthChecksService();
        application.MapHealthChecks("/healthz", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = (context, _) => context.Response.WriteAsync("ok\n") });
        application.MapHealthChecks("/readyz", new HealthCheckOptions { ResponseWriter = WriteReasonAsync });
    }

    /// <summary>Tells who watches gRPC's health at once; by itself the publisher does so every half minute.</summary>
    public static async Task PublishAsync(IServiceProvider services)
    {
        HealthReport report = await services.GetRequiredService<HealthCheckService>().CheckHealthAsync().ConfigureAwait(false);
        foreach (IHealthCheckPublisher publisher in services.GetServices<IHealthCheckPublisher>())
        {
            await publisher.PublishAsync(report, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static Task WriteReasonAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsync(report.Entries.Values.FirstOrDefault(entry => entry.Status != HealthStatus.Healthy).Description is { } reason ? $"{reason}\n" : "serving\n");
}
