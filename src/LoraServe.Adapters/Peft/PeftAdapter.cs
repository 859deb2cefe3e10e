using System.Text.Json;
using LoraServe.Adapters.Files;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Peft;

/// <summary>An adapter's directory, opened: its configuration and tensors as PEFT would have saved them, whoever did. The tensors go with it.</summary>
internal sealed class PeftAdapter : IDisposable
{
    private readonly AdapterWeights _weights;

    private PeftAdapter(
        AdapterFiles files, JsonElement config, AdapterWeights weights, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyList<PeftAdapter> inner, List<string> notes)
    {
        _weights = weights;
        Inner = inner;
        Files = files;
        Config = config;
        Fields = PeftConfig.Fields(files, config, notes);
        Tensors = new AdapterTensors(files.WeightsPath, tensors, "", notes);
        Notes = notes;
    }

    /// <summary>The files.</summary>
    public AdapterFiles Files { get; }

    /// <summary>The adapters that it is made of (X-LoRA), in order.</summary>
    public IReadOnlyList<PeftAdapter> Inner { get; }

    /// <summary>The configuration.</summary>
    public JsonElement Config { get; }

    /// <summary>Its fields.</summary>
    public ConfigFields Fields { get; }

    /// <summary>The tensors by PEFT's names.</summary>
    public AdapterTensors Tensors { get; }

    /// <summary>The tensors as they are stored.</summary>
    public IReadOnlyDictionary<string, Tensor> Stored => _weights.Tensors;

    /// <summary>The base that it was made on by its own word; null where it has none.</summary>
    public string? BaseFingerprint => _weights.Metadata.GetValueOrDefault(AdapterFiles.BaseFingerprintKey);

    /// <summary>What is unusual and was read all the same, or left out: a sentence each. Readers add theirs.</summary>
    public List<string> Notes { get; }

    /// <summary>Opens a directory.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="limits">What it may ask for.</param>
    /// <param name="model">The base, by whose paths tensors are named; null: names stay as they are.</param>
    /// <exception cref="AdapterFormatException">A file is missing or damaged.</exception>
    /// <exception cref="TensorFileException">A file of weights is.</exception>
    public static PeftAdapter Open(string directory, AdapterLimits limits, IBaseModel? model) => Open(AdapterFiles.ReadDirectory(directory, limits), model, []);

    /// <inheritdoc />
    public void Dispose()
    {
        _weights.Dispose();
        DisposeAll(Inner);
    }

    private static PeftAdapter Open(AdapterFiles files, IBaseModel? model, List<string> notes)
    {
        JsonElement config = PeftConfig.Parse(files);
        var weights = new AdapterWeights(files);
        List<PeftAdapter> inner = [];
        try
        {
            foreach (AdapterFiles each in files.Inner)
            {
                inner.Add(Open(each, model, notes));
            }

            IReadOnlyDictionary<string, Tensor> tensors = weights.Tensors;
            if (MlxForm.Is(config))
            {
                (config, tensors) = MlxForm.Read(files, config, tensors, notes);
            }

            // Names of AdapterHub's files have another form, and those of a classifier are of no module: their readers know them.
            bool isPeft = config.ValueKind == JsonValueKind.Object && config.TryGetProperty("peft_type", out _) && inner.Count == 0;
            return new PeftAdapter(files, config, weights, isPeft && model is not null ? TensorNames.Of(tensors, files.WeightsPath, model, notes) : tensors, inner, notes);
        }
        catch
        {
            weights.Dispose();
            DisposeAll(inner);
            throw;
        }
    }

    private static void DisposeAll(IReadOnlyList<PeftAdapter> adapters)
    {
        foreach (PeftAdapter adapter in adapters)
        {
            adapter.Dispose();
        }
    }
}
