using LoraServe.Serving;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LoraServe.Server.Health;

/// <summary>Whether the engine serves: it takes requests, and its steps end.</summary>
/// <param name="status">How the engine is now.</param>
/// <param name="longestStep">A step that takes longer than this is taken for one that never ends.</param>
internal sealed class EngineCheck(Func<EngineStatus> status, TimeSpan longestStep) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        EngineStatus now = status();
        return Task.FromResult(
            now.Stopping ? HealthCheckResult.Unhealthy("The server is stopping and takes nothing new.")
            : now.StepTime > longestStep ? HealthCheckResult.Unhealthy($"A step of the engine has taken {now.StepTime.TotalSeconds:0} s; LoraServe:Server:MaxStepTime is {longestStep.TotalSeconds:0} s.")
            : HealthCheckResult.Healthy());
    }
}
