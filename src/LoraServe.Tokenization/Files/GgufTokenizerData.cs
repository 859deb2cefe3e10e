namespace LoraServe.Tokenization.Files;

/// <summary>What the metadata of a GGUF file says about its tokenizer (keys <c>tokenizer.ggml.*</c>).</summary>
/// <remarks>A value that the file lacks is null; the defaults are those of the tokenizer's model.</remarks>
public sealed record GgufTokenizerData
{
    /// <summary>Where the data comes from, for error messages: normally the file's name.</summary>
    public required string Source { get; init; }

    /// <summary><c>model</c>: "gpt2" for byte-level BPE, "llama" for SentencePiece-style BPE with byte fallback, "t5" for Unigram, "bert" for WordPiece.</summary>
    public required string Model { get; init; }

    /// <summary><c>tokens</c>: the text of each token; the position is the id.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary><c>pre</c>: the name of the pre-tokenizer, such as "llama-bpe"; only for model "gpt2".</summary>
    public string? PreTokenizer { get; init; }

    /// <summary><c>merges</c>: pairs "left right" in order of priority; required for model "gpt2".</summary>
    public IReadOnlyList<string>? Merges { get; init; }

    /// <summary><c>scores</c>: for model "llama" the priority of each token as the result of a merge, higher first; for "t5" the logarithm of its probability.</summary>
    public IReadOnlyList<float>? Scores { get; init; }

    /// <summary><c>token_type</c>: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.</summary>
    public IReadOnlyList<int>? TokenTypes { get; init; }

    /// <summary><c>bos_token_id</c>.</summary>
    public int? BosTokenId { get; init; }

    /// <summary><c>eos_token_id</c>.</summary>
    public int? EosTokenId { get; init; }

    /// <summary><c>unknown_token_id</c>.</summary>
    public int? UnknownTokenId { get; init; }

    /// <summary><c>padding_token_id</c>.</summary>
    public int? PaddingTokenId { get; init; }

    /// <summary><c>separator_token_id</c>: for model "bert", what ends a text.</summary>
    public int? SeparatorTokenId { get; init; }

    /// <summary><c>add_bos_token</c>: put the first token before every text.</summary>
    public bool? AddBosToken { get; init; }

    /// <summary><c>add_eos_token</c>: put the end token after every text.</summary>
    public bool? AddEosToken { get; init; }

    /// <summary><c>add_sep_token</c>: for model "bert", put the separator after every text.</summary>
    public bool? AddSeparatorToken { get; init; }

    /// <summary><c>add_space_prefix</c>: for models "llama" and "t5", put a space before the text.</summary>
    public bool? AddSpacePrefix { get; init; }

    /// <summary><c>remove_extra_whitespaces</c>: for model "t5", leave one space of several and none at the ends.</summary>
    public bool? RemoveExtraWhitespaces { get; init; }

    /// <summary><c>precompiled_charsmap</c>: for model "t5", what characters become before all else, as SentencePiece compiles it.</summary>
    public ReadOnlyMemory<byte>? PrecompiledCharacterMap { get; init; }

    /// <summary><c>normalizer.lowercase</c>: for model "bert", whether letters become small.</summary>
    public bool? Lowercase { get; init; }

    /// <summary><c>normalizer.strip_accents</c>: for model "bert", whether accents go; where it is missing, they go where letters become small.</summary>
    public bool? StripAccents { get; init; }
}
