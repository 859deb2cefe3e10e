using LoraServe.Models;
using LoraServe.Torch.Native;
using LoraServe.Torch.Weights;

namespace LoraServe.Torch;

/// <summary>A device of libtorch: a GPU, or this machine's processor through libtorch, which is there for tests.</summary>
public sealed class TorchDevice : IDevice
{
    private readonly TorchDeviceOptions _options;
    private readonly torch.Device _device;
    private readonly DeviceMemory _memory;

    private TorchDevice(TorchDeviceOptions options)
    {
        _options = options;
        _device = options.Gpu is { } gpu ? torch.device(DeviceType.CUDA, gpu) : torch.CPU;
        _memory = new DeviceMemory(Name, options.MemoryBytes ?? (options.Gpu is { } number ? CudaDriver.FreeBytes(number) * 9 / 10 : null));
    }

    /// <inheritdoc />
    public string Name => _options.Gpu is { } gpu ? $"cuda:{gpu}" : "torch";

    /// <summary>Finds and loads libtorch and looks whether the device is there.</summary>
    /// <exception cref="DeviceException">Something is missing.</exception>
    public static TorchDevice Open(TorchDeviceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        LibTorch.Load(options.LibTorch, options.Gpu);
        if (options.Gpu is not null)
        {
            CudaDriver.Initialize();
        }

        return new TorchDevice(options);
    }

    /// <inheritdoc />
    public Transformer Load(ModelWeights weights, ModelLoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(options);
        ScalarType type = (_options.Type ?? (_options.Gpu is null ? TorchType.Float32 : TorchType.BFloat16)) switch
        {
            TorchType.Float16 => ScalarType.Float16,
            TorchType.BFloat16 => ScalarType.BFloat16,
            _ => ScalarType.Float32,
        };
        var loader = new WeightLoader(weights, options, _device, type, _options.KeepsStored);
        return _memory.Make(
            loader.BytesNeeded, "the weights", "expected more, --device-type bf16, or --device-weights stored for a quantised model", reservation =>
                new TorchTransformer(weights, options.Arithmetic, loader.Load(), _memory, reservation));
    }
}
