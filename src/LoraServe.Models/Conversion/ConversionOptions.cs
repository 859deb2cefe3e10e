using LoraServe.Compute.Tensors;

namespace LoraServe.Models.Conversion;

/// <summary>How a model is written anew.</summary>
public sealed record ConversionOptions
{
    /// <summary>What <see cref="Nf4"/> is called.</summary>
    public const string Nf4Name = "NF4";

    /// <summary>The types that can be written to GGUF.</summary>
    public static IReadOnlyList<ElementType> GgufTypes => ElementTypes.Encodable;

    /// <summary>The types that can be written to safetensors.</summary>
    public static IReadOnlyList<ElementType> SafetensorsTypes { get; } = [.. ElementTypes.Encodable.Where(type => type.BlockElements() == 1)];

    /// <summary>What the matrices are stored as. Norms and biases are float32.</summary>
    public required ElementType Type { get; init; }

    /// <summary>
    /// Whether the linear maps of layers become NF4 in blocks of 64 with nested scales, as bitsandbytes and transformers store them (Dettmers et al., QLoRA);
    /// safetensors only. <see cref="Type"/> is then that of the token table, the head and what chooses experts, and what those who load the file compute in.
    /// </summary>
    public bool Nf4 { get; init; }

    /// <summary>How much errors of each input of a matrix count; null: all alike.</summary>
    public ImportanceFile? Importance { get; init; }

    /// <summary>Threads that encode.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Told after each tensor which part of the values is written, 0 to 1.</summary>
    public IProgress<double>? Progress { get; init; }
}
