using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Torch;
using Xunit;

namespace LoraServe.Testing;

/// <summary>Every device there is: what the contract of devices is tested over. A new one is a line.</summary>
public static class Devices
{
    private const string NvidiaDriver = "/proc/driver/nvidia/version";

    public static IReadOnlyList<TestedDevice> All { get; } =
    [
        new("cpu", () => CpuDevice.Instance),
        Torch("torch", new TorchDeviceOptions()),
        .. File.Exists(NvidiaDriver) ? [Torch("cuda", new TorchDeviceOptions { Gpu = 0, Type = TorchType.Float32 })] : Array.Empty<TestedDevice>(),
    ];

    /// <summary>Every device's name.</summary>
    public static TheoryData<string> Names => [.. All.Select(device => device.Name)];

    /// <summary>Cases, each on every device.</summary>
    public static TheoryData<string, string> With(IEnumerable<string> cases)
    {
        var data = new TheoryData<string, string>();
        foreach (string name in cases)
        {
            foreach (TestedDevice device in All)
            {
                data.Add(device.Name, name);
            }
        }

        return data;
    }

    /// <summary>The device of a case.</summary>
    public static TestedDevice Named(string name) => All.Single(device => device.Name == name);

    private static TestedDevice Torch(string name, TorchDeviceOptions options)
    {
        var opened = new Lazy<(IDevice? Device, string? Reason)>(() =>
        {
            try
            {
                return (TorchDevice.Open(options), null);
            }
            catch (DeviceException missing)
            {
                return (null, missing.Message);
            }
        });
        return new TestedDevice(name, () => opened.Value.Device!, () => opened.Value.Reason) { Allocations = () => TorchSharp.torch.Tensor.TotalCount };
    }
}
