using LoraServe.Compute.Files;
using LoraServe.Models.Config;
using LoraServe.Models.Loading;
using LoraServe.Tokenization;
using LoraServe.Tokenization.Files;

namespace LoraServe.Models;

/// <summary>The part of a model that has to do with text, which can be read without its weights.</summary>
/// <param name="Tokenizer">The tokenizer, or null where the files have none.</param>
/// <param name="ChatTemplateSource">The chat template in Jinja, or null where the files have none.</param>
public sealed record ModelText(Tokenizer? Tokenizer, string? ChatTemplateSource)
{
    /// <summary>Reads the text part of a GGUF file, of a Hugging Face directory (also one with no more than tokenizer files) or of a tokenizer.json.</summary>
    /// <param name="path">The file or directory.</param>
    /// <exception cref="ModelFormatException">There is no such file or directory, or it is damaged.</exception>
    /// <exception cref="TensorFileException">A GGUF file is damaged.</exception>
    /// <exception cref="TokenizerFormatException">The tokenizer is damaged or of a kind that is not supported.</exception>
    public static ModelText Read(string path)
    {
        if (Directory.Exists(path))
        {
            return new ModelText(
                HuggingFaceSource.ReadTokenizer(path),
                HuggingFaceSource.ReadChatTemplate(path, JsonFields.TryLoad(Path.Combine(path, HuggingFaceSource.TokenizerConfig))));
        }

        if (!File.Exists(path))
        {
            throw new ModelFormatException(path, "no such file or directory; expected a GGUF file, a Hugging Face directory or a tokenizer.json");
        }

        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return new ModelText(Tokenizer.FromFile(path), null);
        }

        using GgufFile file = GgufFile.Open(path);
        return new ModelText(GgufSource.ReadTokenizer(file), file.Metadata.FindString(GgufSource.ChatTemplateKey));
    }
}
