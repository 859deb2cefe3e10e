using LoraServe.Server.Health;
using LoraServe.Serving;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LoraServe.Server.Tests.Health;

public sealed class EngineCheckTests
{
    private static readonly EngineStatus s_busy = new(
        QueuedRequests: 3, RunningSequences: 8, UsedPages: 9, CachedPages: 0, TotalPages: 9, KvBytes: 1, Stopping: false, StepTime: TimeSpan.FromSeconds(20));

    [Fact]
    public async Task Check_BusyEngine_IsHealthy() => Assert.Equal(HealthStatus.Healthy, (await CheckAsync(s_busy)).Status);

    [Fact]
    public async Task Check_EngineThatTakesNothingNew_SaysSo()
    {
        HealthCheckResult result = await CheckAsync(s_busy with { Stopping = true });

        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Contains("stopping", result.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_StepWithoutEnd_SaysHowLongItTakesAndWhatIsAllowed()
    {
        HealthCheckResult result = await CheckAsync(s_busy with { StepTime = TimeSpan.FromSeconds(61) });

        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Equal("A step of the engine has taken 61 s; LoraServe:Server:MaxStepTime is 60 s.", result.Description);
    }

    private static Task<HealthCheckResult> CheckAsync(EngineStatus status) =>
        new EngineCheck(() => status, TimeSpan.FromSeconds(60)).CheckHealthAsync(new HealthCheckContext());
}
