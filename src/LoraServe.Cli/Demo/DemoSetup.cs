using LoraServe.Adapters;

namespace LoraServe.Cli.Demo;

/// <summary>What a demonstration runs on.</summary>
/// <param name="ModelPath">A GGUF file or Hugging Face directory.</param>
/// <param name="Adapters">Trained adapters for it; none where random ones have to do.</param>
/// <param name="Origin">Where it was found, for people.</param>
internal sealed record DemoSetup(string ModelPath, IReadOnlyList<NamedAdapter> Adapters, string Origin)
{
    private const string SharedVariable = "LORASERVE_SHARED";
    private const int MostAdapters = 6;
    private static readonly string s_tinyModel = Path.Combine("tests", "fixtures", "models", "llama-tied");

    /// <summary>Takes the model that the user names, else the one in the shared folder, else the tiny one of the repository.</summary>
    /// <exception cref="UsageException">There is none of them.</exception>
    public static DemoSetup Find(string? model, string? adapterRoot)
    {
        if (model is not null)
        {
            return new DemoSetup(model, adapterRoot is null ? [] : AdaptersBelow(adapterRoot), model);
        }

        if (SharedFolders().Select(FirstModel).FirstOrDefault(file => file is not null) is { } shared)
        {
            string root = adapterRoot ?? Path.Combine(Path.GetDirectoryName(shared)!, "..", "adapters");
            return new DemoSetup(shared, Directory.Exists(root) ? AdaptersBelow(root) : [], $"{Path.GetFileName(shared)} of the shared folder");
        }

        string? tiny = Ancestors().Select(folder => Path.Combine(folder, s_tinyModel)).FirstOrDefault(Directory.Exists);
        return tiny is not null
            ? new DemoSetup(tiny, [], "a tiny model of random weights, which writes token ids and no text")
            : throw new UsageException($"there is no model to show. Name one with --model, or set {SharedVariable} to a folder that has models/*.gguf.");
    }

    private static IEnumerable<string> SharedFolders()
    {
        string? named = Environment.GetEnvironmentVariable(SharedVariable);
        return string.IsNullOrEmpty(named) ? Ancestors().Select(folder => Path.Combine(folder, "shared")) : [named];
    }

    private static IEnumerable<string> Ancestors()
    {
        foreach (string start in new[] { Directory.GetCurrentDirectory(), AppContext.BaseDirectory })
        {
            for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
            {
                yield return folder.FullName;
            }
        }
    }

    private static string? FirstModel(string shared)
    {
        string models = Path.Combine(shared, "models");
        return Directory.Exists(models) ? Directory.EnumerateFiles(models, "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault() : null;
    }

    private static NamedAdapter[] AdaptersBelow(string root) =>
    [
        .. Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal)
            .Where(folder => File.Exists(Path.Combine(folder, "adapter_config.json")) && AdapterInspection.Read(folder).Method == "LORA")
            .Select(folder => new NamedAdapter(Path.GetFileName(folder), folder))
            .Take(MostAdapters),
    ];
}
