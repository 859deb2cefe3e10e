namespace LoraServe.Torch;

/// <summary>What a device computes in.</summary>
public enum TorchType
{
    /// <summary>16 bits with float32's range.</summary>
    BFloat16,

    /// <summary>IEEE's 16 bits.</summary>
    Float16,

    /// <summary>float32.</summary>
    Float32,
}
