namespace LoraServe.Torch;

/// <summary>Which of libtorch's devices computes, and how.</summary>
public sealed record TorchDeviceOptions
{
    /// <summary>Folder of a libtorch; null for that of <c>LORASERVE_LIBTORCH</c>, or else the one beside the program.</summary>
    public string? LibTorch { get; init; }

    /// <summary>Number of the GPU; null for libtorch on this machine's processor.</summary>
    public int? Gpu { get; init; }

    /// <summary>What weights and activations are held in; null for bfloat16 on a GPU, float32 on the processor.</summary>
    public TorchType? Type { get; init; }

    /// <summary>Whether quantised weights stay as the file has them and are widened for each product: slower, and a base four times as large fits.</summary>
    public bool KeepsStored { get; init; }

    /// <summary>Most bytes of the device's memory for weights, pages and adapters; null for nine tenths of what is free on a GPU, and for no limit on the processor.</summary>
    public long? MemoryBytes { get; init; }
}
