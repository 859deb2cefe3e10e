using System.Text;
using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Models.Config;
using LoraServe.Tokenization;
using LoraServe.Tokenization.Files;

namespace LoraServe.Models.Text;

/// <summary>The part of a model that has to do with text, which can be read without its weights.</summary>
/// <param name="Name">What messages call the model.</param>
/// <param name="Tokenizer">The tokenizer, or null where the files have none.</param>
/// <param name="Templates">The chat templates, or null where the files have none.</param>
public sealed record ModelText(string Name, Tokenizer? Tokenizer = null, ChatTemplates? Templates = null)
{
    private const string TokenizerFile = "tokenizer.json";
    private static readonly string[] s_settings = [TokenizerSettings.ConfigFile, "special_tokens_map.json"];

    /// <summary>The begin token's text, <c>bos_token</c> in chat templates, or null.</summary>
    public string? BeginTokenText { get; init; }

    /// <summary>The end token's text, <c>eos_token</c> in chat templates, or null.</summary>
    public string? EndTokenText { get; init; }

    /// <summary>Reads the text part of a GGUF file, of a Hugging Face directory (also one with no more than tokenizer files) or of a tokenizer.json.</summary>
    /// <param name="path">The file or directory.</param>
    /// <exception cref="ModelFormatException">There is no such file or directory, or it is damaged.</exception>
    /// <exception cref="TensorFileException">A GGUF file is damaged.</exception>
    /// <exception cref="TokenizerFormatException">The tokenizer is damaged or of a kind that is not supported.</exception>
    public static ModelText Read(string path)
    {
        if (Directory.Exists(path))
        {
            return ReadDirectory(path);
        }

        if (!File.Exists(path))
        {
            throw new ModelFormatException(path, "no such file or directory; expected a GGUF file, a Hugging Face directory or a tokenizer.json");
        }

        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return new ModelText(path, ReadTokenizer(path));
        }

        using GgufFile file = GgufFile.Open(path);
        return ReadGguf(file, []);
    }

    /// <summary>What an adapter's files bring of text: chat templates with the begin and end token that they write; null where they bring no template.</summary>
    /// <param name="path">A directory or a GGUF file.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="ModelFormatException">A file is damaged.</exception>
    /// <exception cref="TensorFileException">A GGUF file is damaged.</exception>
    /// <exception cref="TokenizerFormatException">A file about its tokenizer is damaged.</exception>
    public static ModelText? ReadAdapter(string path, string name)
    {
        if (!Directory.Exists(path))
        {
            using GgufFile file = GgufFile.Open(path);
            return ChatTemplates.Read(file.Metadata) is { } held ? new ModelText(name, Templates: held) : null;
        }

        if (ChatTemplates.Read(path) is not { } templates)
        {
            return null;
        }

        TokenizerSettings settings = ReadSettings(path);
        return new ModelText(name, Templates: templates) { BeginTokenText = settings.BeginToken, EndTokenText = settings.EndToken };
    }

    /// <summary>Writes what an adapter brings beside its weights, so that <see cref="ReadAdapter"/> finds it.</summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void WriteAdapter(string directory)
    {
        Templates?.Write(directory);
        if ((BeginTokenText ?? EndTokenText) is not null)
        {
            var tokens = new Dictionary<string, string?> { ["bos_token"] = BeginTokenText, ["eos_token"] = EndTokenText };
            AtomicFile.WriteAllText(Path.Combine(directory, TokenizerSettings.ConfigFile), JsonSerializer.Serialize(tokens.Where(token => token.Value is not null).ToDictionary()));
        }
    }

    /// <summary>This text with the templates that an adapter brings; itself where it brings none.</summary>
    public ModelText With(ModelText? adapter) => adapter is null ? this : this with
    {
        Name = adapter.Name,
        Templates = adapter.Templates,
        BeginTokenText = adapter.BeginTokenText ?? BeginTokenText,
        EndTokenText = adapter.EndTokenText ?? EndTokenText,
    };

    /// <summary>The text part of a Hugging Face directory, or what an adapter's directory has of it.</summary>
    internal static ModelText ReadDirectory(string directory)
    {
        string file = Path.Combine(directory, TokenizerFile);
        TokenizerSettings settings = ReadSettings(directory);
        return new ModelText(directory, File.Exists(file) ? ReadTokenizer(file) : null, ChatTemplates.Read(directory))
        {
            BeginTokenText = settings.BeginToken,
            EndTokenText = settings.EndToken,
        };
    }

    private static Tokenizer ReadTokenizer(string file)
    {
        RefuseForeign(file);
        return Tokenizer.FromFile(file);
    }

    private static TokenizerSettings ReadSettings(string directory)
    {
        foreach (string file in s_settings.Select(name => Path.Combine(directory, name)).Where(File.Exists))
        {
            RefuseForeign(file);
        }

        return TokenizerSettings.Read(directory);
    }

    private static void RefuseForeign(string file)
    {
        byte[] begin = new byte[512];
        using FileStream stream = File.OpenRead(file);
        int count = stream.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false);
        if (ForeignContent.DescribeInsteadOfJson(begin.AsSpan(0, count)) is { } found)
        {
            throw new ModelFormatException(file, $"holds no JSON; it is {found}");
        }
    }

    /// <summary>The text part of a GGUF file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="warnings">Gets what is wrong with it and was left out.</param>
    internal static ModelText ReadGguf(GgufFile file, List<string> warnings)
    {
        GgufTokenizerData? vocabulary = GgufVocabulary.Read(file, warnings);
        Tokenizer? tokenizer = vocabulary is not null ? Tokenizer.FromGguf(vocabulary)
            : file.Metadata.FindString(GgufVocabulary.HuggingFaceKey) is { } json ? Tokenizer.FromUtf8Json(Encoding.UTF8.GetBytes(json), file.Path)
            : null;
        return new ModelText(file.Path, tokenizer, ChatTemplates.Read(file.Metadata))
        {
            BeginTokenText = Text(vocabulary, vocabulary?.BosTokenId, "bos_token_id"),
            EndTokenText = Text(vocabulary, vocabulary?.EosTokenId, "eos_token_id"),
        };

        string? Text(GgufTokenizerData? data, int? id, string key) => (data is null ? (int?)file.Metadata.FindInteger("tokenizer.ggml." + key) : id) is { } token ? tokenizer?.TokenText(token) : null;
    }
}
