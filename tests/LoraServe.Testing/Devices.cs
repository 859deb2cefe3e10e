using LoraServe.Cpu;
using LoraServe.Models;

namespace LoraServe.Testing;

/// <summary>Every device there is here: what the contract of devices is tested over. A new one is a line.</summary>
public static class Devices
{
    public static IReadOnlyList<IDevice> All { get; } =
    [
        CpuDevice.Instance,
    ];
}
