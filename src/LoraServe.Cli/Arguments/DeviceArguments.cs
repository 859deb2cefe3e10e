using System.CommandLine;
using System.Globalization;
using LoraServe.Cli.Mistakes;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Torch;

namespace LoraServe.Cli.Arguments;

/// <summary>The options that say what computes, and the one place that knows all devices.</summary>
internal sealed class DeviceArguments
{
    private const string Automatic = "auto";
    private const string Cuda = "cuda";

    private readonly Option<string> _device = new("--device")
    {
        Description = "What computes: a GPU, this machine's processor, or (for tests) the processor through libtorch. auto takes a GPU where one can be used. [default: auto]",
        HelpName = "auto|cpu|cuda[:N]|torch",
    };

    private readonly Option<string> _type = new("--device-type") { Description = "What weights and activations are held in on a GPU or through libtorch. [default: bf16 on a GPU, f32 through libtorch]", HelpName = "bf16|f16|f32" };
    private readonly Option<string> _weights = new("--device-weights") { Description = "How quantised weights lie in a GPU's memory: widened once, or stored and widened for each product, which is slower and takes a quarter. [default: widened]", HelpName = "widened|stored" };
    private readonly Option<double?> _memory = new("--device-memory") { Description = "Most of a GPU's memory that weights, cache and adapters may take. [default: nine tenths of what is free]", HelpName = "GIB" };
    private readonly Option<string> _libtorch = new("--libtorch") { Description = "Folder of a libtorch, such as torch/lib of a Python installation. [default: LORASERVE_LIBTORCH, or libtorch beside the program]", HelpName = "DIR" };

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command verb)
    {
        verb.Add(_device);
        verb.Add(_type);
        verb.Add(_weights);
        verb.Add(_memory);
        verb.Add(_libtorch);
    }

    /// <summary>The device that the user named, or the best one there is; and why, where that was not the user's choice.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="isExact">Whether the user asked for exact arithmetic: then a GPU computes in float32 unless its type is named.</param>
    /// <exception cref="DeviceException">The device that the user named cannot be used.</exception>
    public (IDevice Device, string? Reason) Choose(ParseResult arguments, bool isExact)
    {
        string name = arguments.GetValue(_device) ?? Automatic;
        switch (name)
        {
            case "cpu":
                return (CpuDevice.Instance, null);
            case "torch":
                return (Open(arguments, isExact, null), null);
            case Automatic:
                try
                {
                    return (Open(arguments, isExact, 0), "a GPU can be used");
                }
                catch (DeviceException missing)
                {
                    return (CpuDevice.Instance, missing.Message.Split(';')[0]);
                }

            default:
                return (Open(arguments, isExact, ParseGpu(name)), null);
        }
    }

    private TorchDevice Open(ParseResult arguments, bool isExact, int? gpu) =>
        TorchDevice.Open(new TorchDeviceOptions
        {
            Gpu = gpu,
            LibTorch = arguments.GetValue(_libtorch),
            Type = Type(arguments) ?? (isExact ? TorchType.Float32 : null),
            KeepsStored = KeepsStored(arguments),
            MemoryBytes = MemoryBytes(arguments),
        });

    private bool KeepsStored(ParseResult arguments) => arguments.GetValue(_weights) switch
    {
        null or "widened" => false,
        "stored" => true,
        { } other => throw new UsageException($"--device-weights is '{other}'; expected widened or stored."),
    };

    private long? MemoryBytes(ParseResult arguments) => arguments.GetValue(_memory) switch
    {
        null => null,
        > 0 and <= 1 << 20 and { } gibibytes => (long)(gibibytes * (1 << 30)),
        { } other => throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--device-memory is {other}; expected gibibytes above 0.")),
    };

    private static int ParseGpu(string name)
    {
        if (name == Cuda)
        {
            return 0;
        }

        return name.StartsWith($"{Cuda}:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(Cuda.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int gpu)
            ? gpu
            : throw new UsageException($"--device is '{name}'; expected auto, cpu, cuda, cuda:N or torch.");
    }

    private TorchType? Type(ParseResult arguments) => arguments.GetValue(_type) switch
    {
        null => null,
        "bf16" => TorchType.BFloat16,
        "f16" => TorchType.Float16,
        "f32" => TorchType.Float32,
        { } other => throw new UsageException($"--device-type is '{other}'; expected bf16, f16 or f32."),
    };
}
