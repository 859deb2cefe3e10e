using LoraServe.Models;
using Xunit;

namespace LoraServe.Testing;

/// <summary>A device as the contract of devices sees it.</summary>
/// <param name="Name">What its cases are called.</param>
/// <param name="Open">Gives the device; not called where it is not available.</param>
/// <param name="WhyUnavailable">Why it cannot be had on this machine; null where it can.</param>
public sealed record TestedDevice(string Name, Func<IDevice> Open, Func<string?>? WhyUnavailable = null)
{
    /// <summary>How far logits, hidden states and losses may be from those in float64, as a share of the row's greatest.</summary>
    public double Tolerance { get; init; } = 2e-5;

    /// <summary>How far a derivative along a random direction may be from the difference of the loss in float64, as a share of the gradient's length.</summary>
    public double GradientTolerance { get; init; } = 1e-4;

    /// <summary>How many allocations there are in the device's memory, where that is not this machine's.</summary>
    public Func<long> Allocations { get; init; } = () => 0;

    /// <summary>The device; skips the calling test where it is not available, and says why.</summary>
    public IDevice Require()
    {
        string? reason = WhyUnavailable?.Invoke();
        Skip.If(reason is not null, $"{Name}: {reason}");
        return Open();
    }
}
