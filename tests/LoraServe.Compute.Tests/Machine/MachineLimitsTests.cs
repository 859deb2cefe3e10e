using LoraServe.Compute.Machine;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Tests.Machine;

public class MachineLimitsTests
{
    [Fact]
    public void Measure_SmallBuffer_GivesPositiveLimits()
    {
        using var pool = new WorkerPool(2);
        MachineLimits limits = MachineLimits.Measure(pool, readBytes: 1 << 20);
        Assert.True(limits.ReadBytesPerSecond > 0 && double.IsFinite(limits.ReadBytesPerSecond));
        Assert.True(limits.FloatOperationsPerSecond > 0 && double.IsFinite(limits.FloatOperationsPerSecond));
    }
}
