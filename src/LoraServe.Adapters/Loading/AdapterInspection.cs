using System.Collections.Immutable;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Peft;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Loading;

/// <summary>What an adapter's files say of themselves, without a base model: any peft_type, not only what can be loaded.</summary>
public sealed record AdapterInspection
{
    /// <summary>PEFT's name of the method, such as <c>LORA</c>; for a GGUF file <c>LORA</c> too, for AdapterHub's files <c>BOTTLENECK</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The model it says it was trained on; null where it does not say.</summary>
    public required string? BaseModel { get; init; }

    /// <summary>The rank that holds where no pattern says otherwise, of AdaLoRA the one before pruning; null where there is none.</summary>
    public required int? Rank { get; init; }

    /// <summary>Alpha where no pattern says otherwise; null where there is none.</summary>
    public required double? Alpha { get; init; }

    /// <summary>What it targets: names, paths or one regular expression.</summary>
    public required ImmutableArray<string> Targets { get; init; }

    /// <summary>Its tensors in the order of their names.</summary>
    public required ImmutableArray<AdapterTensorSummary> Tensors { get; init; }

    /// <summary>Size of the weights file in bytes.</summary>
    public required long FileBytes { get; init; }

    /// <summary>SHA-256 as <see cref="Adapter.Digest"/>.</summary>
    public required string Digest { get; init; }

    /// <summary>Number of values in all tensors.</summary>
    public long ParameterCount => Tensors.Sum(tensor => tensor.Shape.Aggregate(1L, (product, extent) => product * extent));

    /// <summary>Reads a PEFT, AdapterHub or mlx-lm directory, or a GGUF adapter file.</summary>
    /// <exception cref="AdapterFormatException">It is missing or damaged.</exception>
    public static AdapterInspection Read(string path, AdapterLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        limits ??= new AdapterLimits();
        try
        {
            return File.Exists(path) ? ReadGguf(path, limits) : ReadDirectory(path, limits);
        }
        catch (TensorFileException damaged)
        {
            throw new AdapterFormatException($"{damaged.Message}. Download or save the adapter again.", damaged);
        }
    }

    private static AdapterInspection ReadDirectory(string directory, AdapterLimits limits)
    {
        using var adapter = PeftAdapter.Open(directory, limits, model: null);
        ConfigFields fields = adapter.Fields;
        return new AdapterInspection
        {
            Method = PeftConfig.Type(fields),
            BaseModel = fields.Text("base_model_name_or_path") ?? fields.Text("model_name"),
            Rank = fields.Integer("init_r", 0) ?? fields.Integer("r", 0),
            Alpha = fields.Number("lora_alpha"),
            Targets = [.. fields.Texts("target_modules") ?? []],
            Tensors = Summarize(adapter.Stored.Values),
            FileBytes = adapter.Files.AllLength,
            Digest = adapter.Files.Digest,
        };
    }

    private static AdapterInspection ReadGguf(string path, AdapterLimits limits)
    {
        string digest = AdapterFiles.DigestOf(path, limits, out long length);
        using GgufFile file = GgufFile.Open(path);
        ImmutableArray<AdapterTensorSummary> tensors = Summarize(file.Tensors.Values);
        return new AdapterInspection
        {
            Method = file.Metadata.FindString("adapter.type")?.ToUpperInvariant() ?? throw new AdapterFormatException($"{path}: is a GGUF file without 'adapter.type'; expected a GGUF adapter."),
            BaseModel = file.Metadata.FindString("general.base_model.0.name"),
            Rank = tensors.Where(tensor => tensor.Name.EndsWith(".lora_b", StringComparison.Ordinal)).Select(tensor => (int?)tensor.Shape[^1]).FirstOrDefault(),
            Alpha = file.Metadata.FindNumber("adapter.lora.alpha"),
            Targets = [.. tensors.Select(tensor => tensor.Name[..tensor.Name.LastIndexOf('.')]).Distinct()],
            Tensors = tensors,
            FileBytes = length,
            Digest = digest,
        };
    }

    private static ImmutableArray<AdapterTensorSummary> Summarize(IEnumerable<Tensor> tensors) =>
        [.. tensors.Select(tensor => new AdapterTensorSummary(tensor.Name, tensor.Type, tensor.Shape)).OrderBy(tensor => tensor.Name, StringComparer.Ordinal)];
}
