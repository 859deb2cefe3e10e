using LoraServe.Compute.Files;
using LoraServe.Models.Architectures;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;
using LoraServe.Tokenization;

namespace LoraServe.Models.Loading;

/// <summary>Opens a model in a GGUF file.</summary>
internal static class GgufSource
{
    private static readonly string[] s_endTokenKeys = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"];

    public const string ChatTemplateKey = "tokenizer.chat_template";

    public static ModelSource Open(string path)
    {
        GgufFile file = GgufFile.Open(path);
        try
        {
            var architecture = Architecture.Of(file);
            TransformerSpec spec = architecture.FromGguf(file);
            Tokenizer? tokenizer = ReadTokenizer(file);
            string name = file.Metadata.FindString("general.name") ?? System.IO.Path.GetFileNameWithoutExtension(path);
            return new ModelSource(path, name, architecture, spec, file)
            {
                Names = architecture.GgufNames,
                FindTensor = file.FindTensor,
                InterleavedRows = architecture.InterleavedInGguf,
                Tokenizer = tokenizer,
                Generation = ReadGeneration(file, tokenizer, spec.VocabularySize),
                ChatTemplate = file.Metadata.FindString(ChatTemplateKey),
            };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public static Tokenizer? ReadTokenizer(GgufFile file) => GgufVocabulary.Read(file) is { } vocabulary ? Tokenizer.FromGguf(vocabulary) : null;

    private static GenerationDefaults ReadGeneration(GgufFile file, Tokenizer? tokenizer, int vocabulary)
    {
        int[] end = [.. s_endTokenKeys.Select(key => Token(file, key, vocabulary)).OfType<int>().Distinct()];
        int? begin = Token(file, "tokenizer.ggml.bos_token_id", vocabulary);
        return new GenerationDefaults
        {
            EndTokens = [.. end],
            BeginToken = begin,
            EndTokenText = end.Length > 0 ? tokenizer?.TokenText(end[0]) : null,
            BeginTokenText = begin is { } id ? tokenizer?.TokenText(id) : null,
        };
    }

    private static int? Token(GgufFile file, string key, int vocabulary) => file.Metadata.FindInteger(key) is { } id
        ? id >= 0 && id < vocabulary ? (int)id : throw new ModelFormatException(file.Path, $"metadata '{key}' is {id}; expected a token from 0 to {vocabulary - 1}")
        : null;
}
