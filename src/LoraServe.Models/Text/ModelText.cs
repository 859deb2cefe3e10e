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
            return new ModelText(path, Tokenizer.FromFile(path));
        }

        using GgufFile file = GgufFile.Open(path);
        return ReadGguf(file, []);
    }

    /// <summary>The text part of a Hugging Face directory, or what an adapter's directory has of it.</summary>
    internal static ModelText ReadDirectory(string directory)
    {
        string file = Path.Combine(directory, TokenizerFile);
        TokenizerSettings settings = TokenizerSettings.Read(directory);
        return new ModelText(directory, File.Exists(file) ? Tokenizer.FromFile(file) : null, ChatTemplates.Read(directory))
        {
            BeginTokenText = settings.BeginToken,
            EndTokenText = settings.EndToken,
        };
    }

    /// <summary>The text part of a GGUF file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="warnings">Gets what is wrong with it and was left out.</param>
    internal static ModelText ReadGguf(GgufFile file, List<string> warnings)
    {
        GgufTokenizerData? vocabulary = GgufVocabulary.Read(file, warnings);
        Tokenizer? tokenizer = vocabulary is null ? null : Tokenizer.FromGguf(vocabulary);
        return new ModelText(file.Path, tokenizer, ChatTemplates.Read(file.Metadata))
        {
            BeginTokenText = Text(vocabulary?.BosTokenId),
            EndTokenText = Text(vocabulary?.EosTokenId),
        };

        string? Text(int? id) => id is { } token ? tokenizer?.TokenText(token) : null;
    }
}
