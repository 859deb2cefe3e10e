namespace LoraServe.Adapters.Files;

/// <summary>What the files of an adapter's folder are called, by PEFT, AdapterHub and mlx-lm.</summary>
public static class AdapterFileNames
{
    /// <summary>The configuration.</summary>
    public const string Config = "adapter_config.json";

    /// <summary>PEFT's weights.</summary>
    public const string PeftWeights = "adapter_model.safetensors";

    /// <summary>Which of PEFT's weights lie in which shard.</summary>
    public const string PeftIndex = "adapter_model.safetensors.index.json";

    /// <summary>AdapterHub's weights.</summary>
    public const string AdapterHubWeights = "adapter.safetensors";

    /// <summary>mlx-lm's weights.</summary>
    public const string MlxWeights = "adapters.safetensors";

    /// <summary>The classifier of an X-LoRA adapter, where that was saved by itself.</summary>
    public const string ClassifierWeights = "classifier.safetensors";

    private const string ShardBegin = "adapter_model-";
    private const string ShardEnd = ".safetensors";

    /// <summary>The names that weights in one file can have; the first counts where several are there.</summary>
    public static IReadOnlyList<string> Weights { get; } = [PeftWeights, AdapterHubWeights, MlxWeights, ClassifierWeights];

    /// <summary>What an adapter may bring of text: a chat template of its own, and the special tokens that it writes.</summary>
    public static IReadOnlyList<string> Text { get; } = ["chat_template.jinja", "tokenizer_config.json", "special_tokens_map.json"];

    /// <summary>All that it computes with, but shards.</summary>
    public static IReadOnlyList<string> All { get; } = [Config, .. Weights, PeftIndex];

    /// <summary>Whether a name is that of one of several files with PEFT's weights, such as <c>adapter_model-00001-of-00002.safetensors</c>.</summary>
    public static bool IsShard(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length <= 128 && name.StartsWith(ShardBegin, StringComparison.Ordinal) && name.EndsWith(ShardEnd, StringComparison.Ordinal)
            && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.');
    }

    /// <summary>Whether a name is that of a file that an adapter may consist of.</summary>
    /// <remarks>An adapter that is made of others (X-LoRA) has those in folders of its own, which are called by their numbers: <c>0/adapter_config.json</c>.</remarks>
    public static bool IsPart(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return IsOwn(name) || (name.Split('/') is [var folder, var part] && InnerAdapters.IsFolder(folder) && IsOwn(part));
    }

    /// <summary>Names of the files in a folder that its adapter consists of, in order.</summary>
    public static IEnumerable<string> PartsIn(string directory) =>
        Directory.EnumerateFiles(directory).Select(path => Path.GetFileName(path)!).Where(IsOwn).Order(StringComparer.Ordinal);

    private static bool IsOwn(string name) => All.Contains(name) || IsShard(name) || Text.Contains(name);
}
