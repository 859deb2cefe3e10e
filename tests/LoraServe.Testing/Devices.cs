using LoraServe.Cpu;

namespace LoraServe.Testing;

/// <summary>Every device there is: what the contract of devices is tested over. A new one is a line.</summary>
public static class Devices
{
    public static IReadOnlyList<TestedDevice> All { get; } =
    [
        new("cpu", () => CpuDevice.Instance),
    ];

    /// <summary>The device of a case.</summary>
    public static TestedDevice Named(string name) => All.Single(device => device.Name == name);
}
