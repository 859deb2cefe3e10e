using System.Diagnostics;
using LoraServe.Compute.Machine;
using LoraServe.Models;
using LoraServe.Torch.Native;

namespace LoraServe.Torch;

/// <summary>Measures what a device of libtorch can do at best: sums and copies of more than its caches hold, and products of large matrices.</summary>
internal sealed class TorchLimits
{
    private const int LeastTries = 3;

    // So many operations are timed at once that what it costs to wait for a GPU does not count.
    private static readonly TimeSpan s_leastStretch = TimeSpan.FromSeconds(0.02);
    private static readonly TimeSpan s_leastTime = TimeSpan.FromSeconds(0.5);

    private readonly torch.Device _device;
    private readonly ScalarType _type;
    private readonly long _floats;
    private readonly long _side;

    /// <param name="device">What is measured.</param>
    /// <param name="type">The type of products.</param>
    public TorchLimits(torch.Device device, ScalarType type)
    {
        (_device, _type) = (device, type);
        (_floats, _side) = IsGpu ? (1L << 28, 8192) : (1L << 26, 2048);
    }

    /// <summary>Bytes of the device's memory that measuring takes.</summary>
    public long BytesNeeded => Math.Max(2 * _floats, 3 * _side * _side) * sizeof(float);

    private bool IsGpu => _device.type == DeviceType.CUDA;

    /// <summary>Measures.</summary>
    public DeviceLimits Measure()
    {
        return IsGpu
            ? new DeviceLimits(CudaDriver.NameOf(_device.index), $"compute capability {Capability()}", TypeName(), ReadBytesPerSecond(), OperationsPerSecond())
            : new DeviceLimits(ProcessorTopology.Name, $"libtorch {LibTorch.Version}", TypeName(), ReadBytesPerSecond(), OperationsPerSecond());
    }

    private string Capability()
    {
        (int major, int minor) = CudaDriver.ComputeCapability(_device.index);
        return $"{major}.{minor}";
    }

    private double ReadBytesPerSecond()
    {
        using Tensor memory = torch.ones(_floats, device: _device);
        long bytes = _floats * sizeof(float);
        return Math.Max(Best(bytes, () => memory.sum()), Best(2 * bytes, () => memory.clone()));
    }

    private double OperationsPerSecond()
    {
        using Tensor one = torch.randn(_side, _side, dtype: _type, device: _device);
        using Tensor other = torch.randn(_side, _side, dtype: _type, device: _device);
        return Best(2.0 * _side * _side * _side, () => torch.nn.functional.linear(one, other));
    }

    private string TypeName() => _type switch { ScalarType.BFloat16 => "bfloat16", ScalarType.Float16 => "float16", _ => "float32" };

    /// <summary>The best of several tries, since others on the machine only ever slow it down.</summary>
    private static double Best(double amount, Func<Tensor> operation)
    {
        using IDisposable noGrad = torch.no_grad();
        Time(operation, 1);
        int count = (int)Math.Clamp(s_leastStretch / Time(operation, 1), 1, 1000);
        TimeSpan best = TimeSpan.MaxValue;
        long begun = Stopwatch.GetTimestamp();
        for (int i = 0; i < LeastTries || Stopwatch.GetElapsedTime(begun) < s_leastTime; i++)
        {
            TimeSpan elapsed = Time(operation, count);
            best = elapsed < best ? elapsed : best;
        }

        return amount * count / best.TotalSeconds;
    }

    /// <summary>Time until the operations are done: until an element of the last one's result is here.</summary>
    private static TimeSpan Time(Func<Tensor> operation, int count)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 1; i < count; i++)
        {
            operation().Dispose();
        }

        using Tensor last = operation();
        using Tensor all = last.view(-1);
        using Tensor element = all.narrow(0, 0, 1);
        using Tensor here = element.cpu();
        return Stopwatch.GetElapsedTime(start);
    }
}
