using LoraServe.Cpu.Weights;
using LoraServe.Models;

namespace LoraServe.Cpu;

/// <summary>This machine's processor.</summary>
public sealed class CpuDevice : IDevice
{
    private CpuDevice()
    {
    }

    /// <summary>The processor; it has no state.</summary>
    public static CpuDevice Instance { get; } = new();

    /// <inheritdoc />
    public string Name => "cpu";

    /// <inheritdoc />
    public Transformer Load(ModelWeights weights, ModelLoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(options);
        return new CpuTransformer(weights, options.Arithmetic, new WeightPacker(weights, options).Pack());
    }
}
