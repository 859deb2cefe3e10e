using System.Collections.Immutable;
using LoraServe.Compute.Files;
using LoraServe.Models.Config;
using LoraServe.Tokenization.Files;

namespace LoraServe.Models.Text;

/// <summary>The chat templates that come with a model or an adapter, each in Jinja, by name.</summary>
/// <param name="Sources">At least one.</param>
public sealed record ChatTemplates(ImmutableSortedDictionary<string, string> Sources)
{
    /// <summary>The name of the template that is used where no other is meant.</summary>
    public const string DefaultName = "default";

    /// <summary>The name of the template that is used where there are tools.</summary>
    public const string ToolUseName = "tool_use";

    /// <summary>The file with the default template.</summary>
    public const string FileName = "chat_template.jinja";

    private const string FurtherFolder = "additional_chat_templates";
    private const string Field = "chat_template";
    private const string GgufKey = "tokenizer.chat_template";
    private const string GgufNames = "tokenizer.chat_templates";
    private const string Extension = ".jinja";
    private const int MaxFileBytes = 4 << 20;
    private const int MostFiles = 64;

    /// <summary>The default template, or null where all have other names.</summary>
    public string? Default => Sources.GetValueOrDefault(DefaultName);

    /// <summary>Where a template lies in a Hugging Face directory, whatever characters its name has.</summary>
    public static string FileOf(string name) =>
        name == DefaultName ? FileName : Path.Combine(FurtherFolder, string.Concat((name ?? "").Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '_')) + Extension);

    /// <summary>Writes them into a directory, as transformers does.</summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void Write(string directory)
    {
        foreach ((string name, string template) in Sources)
        {
            string path = Path.Combine(directory, FileOf(name));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            AtomicFile.WriteAllText(path, template);
        }
    }

    /// <summary>One template.</summary>
    public static ChatTemplates Of(string source) => new(ImmutableSortedDictionary<string, string>.Empty.Add(DefaultName, source));

    /// <summary>The templates of a Hugging Face directory, or null: those in files of their own count alone; else those in tokenizer_config.json do.</summary>
    internal static ChatTemplates? Read(string directory)
    {
        ImmutableSortedDictionary<string, string>.Builder templates = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (Path.Combine(directory, FileName) is var file && File.Exists(file))
        {
            templates.Add(DefaultName, ReadFile(file));
        }

        if (Path.Combine(directory, FurtherFolder) is var folder && Directory.Exists(folder))
        {
            foreach (string further in Directory.EnumerateFiles(folder, "*" + Extension).Take(MostFiles))
            {
                templates[Path.GetFileNameWithoutExtension(further)] = ReadFile(further);
            }
        }

        if (templates.Count == 0 && JsonFields.TryLoad(Path.Combine(directory, TokenizerSettings.ConfigFile)) is { } config)
        {
            ReadField(config, templates);
        }

        return templates.Count > 0 ? new ChatTemplates(templates.ToImmutable()) : null;
    }

    /// <summary>What <see cref="Read(GgufMetadata)"/> reads.</summary>
    internal IEnumerable<GgufEntry> ToGguf()
    {
        string[] named = [.. Sources.Keys.Where(name => name != DefaultName)];
        if (named.Length > 0)
        {
            yield return GgufEntry.Of(GgufNames, named);
        }

        foreach ((string name, string template) in Sources)
        {
            yield return GgufEntry.Of(name == DefaultName ? GgufKey : $"{GgufKey}.{name}", template);
        }
    }

    /// <summary>The templates in a GGUF file's metadata, or null.</summary>
    internal static ChatTemplates? Read(GgufMetadata metadata)
    {
        ImmutableSortedDictionary<string, string>.Builder templates = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (metadata.FindString(GgufKey) is { } source)
        {
            templates.Add(DefaultName, source);
        }

        foreach (string name in metadata.FindStrings(GgufNames) ?? [])
        {
            if (metadata.FindString($"{GgufKey}.{name}") is { } named)
            {
                templates[name] = named;
            }
        }

        return templates.Count > 0 ? new ChatTemplates(templates.ToImmutable()) : null;
    }

    /// <summary>A template, a list of named ones, or an object of them.</summary>
    private static void ReadField(JsonFields config, ImmutableSortedDictionary<string, string>.Builder templates)
    {
        if (!config.Has(Field))
        {
            return;
        }

        if (config.IsString(Field))
        {
            templates.Add(DefaultName, config.String(Field)!);
        }
        else if (config.IsObject(Field))
        {
            JsonFields named = config.Object(Field)!;
            foreach (string name in named.Names.Where(named.Has))
            {
                templates[name] = named.String(name)!;
            }
        }
        else
        {
            foreach (JsonFields template in config.Objects(Field)!)
            {
                templates[template.String("name") ?? throw template.Wrong("name", "a template's name")] = template.String("template") ?? throw template.Wrong("template", "a template");
            }
        }
    }

    private static string ReadFile(string path) => new FileInfo(path).Length <= MaxFileBytes
        ? File.ReadAllText(path)
        : throw new ModelFormatException(path, $"larger than {MaxFileBytes >> 20} MiB; expected a chat template");
}
