using LoraServe.Server.Surfaces;
using LoraServe.Serving;
using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace LoraServe.Server.Health;

/// <summary>"Does it serve?" at <c>/readyz</c>, from the check that gRPC's health service answers from too, and "is it alive?" at <c>/healthz</c>.</summary>
internal static class HealthPages
{
    public static void AddTo(WebApplicationBuilder builder, InferenceEngine engine, TimeSpan longestStep)
    {
        builder.Services.AddHealthChecks().AddCheck("engine", new EngineCheck(() => engine.Status, longestStep));

        // A server that stops is asked again and again, and each answer would be an error in the log.
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks.DefaultHealthCheckService", LogLevel.None);
    }

    public static void Map(WebApplication application)
    {
        application.MapHealthChecks("/healthz", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = (context, _) => context.Response.WriteAsync("ok\n") });

        // The second name is vLLM's.
        foreach (string path in new[] { "/readyz", "/health" })
        {
            application.MapHealthChecks(path, new HealthCheckOptions
            {
                ResponseWriter = WriteReasonAsync,
                ResultStatusCodes = { [HealthStatus.Unhealthy] = Refusals.NamesOf(EngineError.ShuttingDown).Http },
            });
        }
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
