using System.Text.Json;

namespace LoraServe.Tokenization.Files;

/// <summary>What a name under <c>tokenizer.ggml.pre</c> stands for: the names and expressions of llama.cpp's converter and loader.</summary>
/// <remarks>
/// Where llama.cpp leaves out what the model's own tokenizer does (Qwen's normal form C, possessive quantifiers), this follows the model's own.
/// </remarks>
/// <param name="PreTokenizer">How text is cut into words, as a tokenizer.json says it.</param>
/// <param name="Normalizer">How text is changed before, as a tokenizer.json says it; null for not at all.</param>
/// <param name="IgnoresMerges">A word that is a token is that token.</param>
/// <param name="AddsBos">Texts start with the first token unless the file says otherwise.</param>
internal sealed record GgufPreTokenizer(string PreTokenizer, string? Normalizer = null, bool IgnoresMerges = false, bool AddsBos = false)
{
    private const string Words = """{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}""";
    private const string Bytes = """{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}""";
    private const string Numbers = """{"type": "Digits", "individual_digits": true}""";
    private const string Composed = """{"type": "NFC"}""";
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Rest = @" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string RestWithSlash = @" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string UpperThenLower = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+";
    private const string UpperOnly = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*";
    private const string Llama3 = Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + Rest;
    private const string Qwen2 = Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|" + Rest;
    private const string O200k = UpperThenLower + Contractions + "?|" + UpperOnly + Contractions + @"?|\p{N}{1,3}|" + RestWithSlash;
    private const string Tekken = UpperThenLower + "|" + UpperOnly + @"|\p{N}|" + RestWithSlash;
    private const string Qwen35 = Contractions + @"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string BailingMoe = @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
    private const string SeedCoder = Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Bloom = @" ?[^(\s|.,!?…。，、।۔،)]+";
    private const string DeepSeek3 = @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>Finds a pre-tokenizer by its name.</summary>
    /// <exception cref="TokenizerFormatException">There is no name, or one that is not implemented.</exception>
    public static GgufPreTokenizer Find(string? name)
    {
        switch (name)
        {
            case null or "":
                throw new TokenizerFormatException("tokenizer.ggml.pre is missing, so it is not known how words are cut; convert the model anew");
            case "gpt-2" or "mpt" or "olmo" or "phi-2" or "jais" or "gigachat" or "trillion" or "granite-docling" or "exaone4" or "a.x-4.0"
                or "mellum" or "modern-bert" or "jina-es" or "jina-de" or "jina-v2-es" or "jina-v2-de":
                return new GgufPreTokenizer(Words);
            case "smollm" or "starcoder" or "refact" or "command-r" or "codeshell" or "exaone" or "minerva-7b" or "mellum2":
                return new GgufPreTokenizer(Sequence(Numbers, Words));
            case "llama-bpe" or "llama3" or "llama-v3" or "falcon3" or "falcon-h1" or "pixtral" or "midm-2.0" or "lfm2" or "jina-v5-nano":
                return new GgufPreTokenizer(Splits(Llama3), IgnoresMerges: true, AddsBos: true);
            case "dbrx" or "smaug-bpe" or "glm4" or "chatglm-bpe":
                return new GgufPreTokenizer(Splits(Llama3));
            case "minicpm5":
                return new GgufPreTokenizer(Splits(@"\p{N}{1,3}", Llama3.Replace("{1,3}", "+", StringComparison.Ordinal)), IgnoresMerges: true);
            case "qwen2" or "deepseek-r1-qwen" or "megrez" or "kormo" or "f2llmv2":
                return new GgufPreTokenizer(Splits(Qwen2), Composed);
            case "qwen35":
                return new GgufPreTokenizer(Splits(Qwen35), Composed);
            case "stablelm2" or "hunyuan" or "solar-open" or "grok-2":
                return new GgufPreTokenizer(Splits(Qwen2));
            case "bailingmoe" or "bailingmoe2" or "llada-moe":
                return new GgufPreTokenizer(Splits(BailingMoe));
            case "seed-coder":
                return new GgufPreTokenizer(Splits(SeedCoder));
            case "gpt-4o" or "llama4" or "kanana2" or "talkie" or "minimax-m2":
                return new GgufPreTokenizer(Splits(O200k));
            case "tiny_aya" or "cohere2moe":
                return new GgufPreTokenizer(Splits(@"\d{1,3}(?=(?:\d{3})*\b)", O200k));
            case "tekken":
                return new GgufPreTokenizer(Splits(Tekken), IgnoresMerges: true, AddsBos: true);
            case "deepseek-coder":
                return new GgufPreTokenizer(Splits(@"[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", "[一-龥ࠀ-一가-\uD7FF]+", @"\p{N}"));
            case "deepseek-v3" or "hunyuan-dense" or "joyai-llm" or "hy_v4":
                return new GgufPreTokenizer(Splits(@"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DeepSeek3));
            case "bloom" or "poro-chat" or "gpt3-finnish":
                return new GgufPreTokenizer(Splits(Bloom));
            case "viking":
                return new GgufPreTokenizer(Splits(Bloom, @"\p{N}"));
            case "falcon":
                return new GgufPreTokenizer(Sequence("""{"type": "Punctuation", "behavior": "Contiguous"}""", Split(Gpt2), Split("[0-9][0-9][0-9]"), Bytes));
            case "default":
                return new GgufPreTokenizer(Splits(@"[\p{P}$+<=>^~|]+", Gpt2, @"\p{N}+", "[0-9][0-9][0-9]"));
            default:
                throw new TokenizerFormatException($"tokenizer.ggml.pre '{name}' is not supported");
        }
    }

    private static string Splits(params string[] expressions) => Sequence([.. expressions.Select(Split), Bytes]);

    private static string Split(string expression) =>
        $$"""{"type": "Split", "pattern": {"Regex": "{{JsonEncodedText.Encode(expression)}}"}, "behavior": "Isolated", "invert": false}""";

    private static string Sequence(params string[] steps) => $$"""{"type": "Sequence", "pretokenizers": [{{string.Join(", ", steps)}}]}""";
}
