using LoraServe.Models.Architectures;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;
using LoraServe.Tokenization;

namespace LoraServe.Models.Loading;

/// <summary>Opens a model in a Hugging Face directory.</summary>
internal static class HuggingFaceSource
{
    public const string TokenizerConfig = "tokenizer_config.json";

    private const int MaxTemplateBytes = 4 << 20;

    public static ModelSource Open(string directory)
    {
        JsonFields config = JsonFields.TryLoad(Path.Combine(directory, "config.json"))
            ?? throw new ModelFormatException(directory, "has no config.json; expected a Hugging Face directory with config.json, tokenizer.json and safetensors, or a GGUF file");
        var architecture = Architecture.Of(config);
        TransformerSpec spec = architecture.FromHuggingFace(config);
        JsonFields? tokenizerConfig = JsonFields.TryLoad(Path.Combine(directory, TokenizerConfig));
        GenerationDefaults generation = ReadGeneration(config, JsonFields.TryLoad(Path.Combine(directory, "generation_config.json")), tokenizerConfig, spec.VocabularySize);
        string? template = ReadChatTemplate(directory, tokenizerConfig);
        Tokenizer? tokenizer = ReadTokenizer(directory);
        var weights = SafetensorsCheckpoint.Open(directory);
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory)));
        return new ModelSource(directory, name, architecture, spec, weights)
        {
            Names = architecture.HuggingFaceNames,
            FindTensor = weights.FindTensor,
            Tokenizer = tokenizer,
            Generation = generation,
            ChatTemplate = template,
        };
    }

    public static Tokenizer? ReadTokenizer(string directory)
    {
        string file = Path.Combine(directory, "tokenizer.json");
        return File.Exists(file) ? Tokenizer.FromFile(file) : null;
    }

    private static GenerationDefaults ReadGeneration(JsonFields config, JsonFields? generation, JsonFields? tokenizer, int vocabulary) => new()
    {
        EndTokens = [.. Tokens(config, generation, "eos_token_id", vocabulary)],
        BeginToken = Tokens(config, generation, "bos_token_id", vocabulary) is [var begin, ..] ? begin : null,
        EndTokenText = TokenText(tokenizer, "eos_token"),
        BeginTokenText = TokenText(tokenizer, "bos_token"),
    };

    /// <summary>generation_config.json decides, config.json where that is silent.</summary>
    private static int[] Tokens(JsonFields config, JsonFields? generation, string field, int vocabulary) =>
        (generation?.Has(field) == true ? generation : config).OneOrMoreIntegers(field, 0, vocabulary - 1);

    /// <summary>A token is written as its text or as an object with the text as <c>content</c>.</summary>
    private static string? TokenText(JsonFields? tokenizer, string field) =>
        tokenizer is null || tokenizer.IsString(field) ? tokenizer?.String(field) : tokenizer.Object(field)?.String("content");

    /// <summary>chat_template.jinja decides; else tokenizer_config.json has one template or a list of named ones, of which "default" is meant.</summary>
    public static string? ReadChatTemplate(string directory, JsonFields? tokenizer)
    {
        const string Field = "chat_template";
        string path = Path.Combine(directory, "chat_template.jinja");
        if (File.Exists(path))
        {
            return new FileInfo(path).Length <= MaxTemplateBytes
                ? File.ReadAllText(path)
                : throw new ModelFormatException(path, $"larger than {MaxTemplateBytes >> 20} MiB; expected a chat template");
        }

        return tokenizer is null || tokenizer.IsString(Field)
            ? tokenizer?.String(Field)
            : tokenizer.Objects(Field)?.FirstOrDefault(template => template.String("name") == "default")?.String("template");
    }
}
