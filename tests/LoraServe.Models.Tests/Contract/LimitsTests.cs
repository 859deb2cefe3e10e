using LoraServe.Compute.Workers;

namespace LoraServe.Models.Tests.Contract;

/// <summary>What a device says that it can do at best.</summary>
public sealed class LimitsTests
{
    [SkippableTheory]
    [MemberData(nameof(ContractCases.Devices), MemberType = typeof(ContractCases))]
    public void MeasureLimits_SaysOfWhatAndHowMuch(string device)
    {
        using var model = new ContractModel(device, ContractCases.Spec);
        using var pool = new WorkerPool(1);

        DeviceLimits limits = model.OnDevice.MeasureLimits(pool);

        Assert.NotEmpty(limits.Processor);
        Assert.NotEmpty(limits.InstructionSet);
        Assert.Equal("float32", limits.Type);
        Assert.True(limits.ReadBytesPerSecond > 0 && double.IsFinite(limits.ReadBytesPerSecond));
        Assert.True(limits.OperationsPerSecond > 0 && double.IsFinite(limits.OperationsPerSecond));
    }
}
