using LoraServe.Grammars.Masks;
using LoraServe.Models.Text;
using LoraServe.Testing;
using LoraServe.Tokenization;

namespace LoraServe.Grammars.Tests;

/// <summary>Vocabularies to follow grammars over.</summary>
internal static class Vocabularies
{
    private static readonly Dictionary<string, TokenVocabulary> s_made = [];

    /// <summary>A token for each byte, and nothing else: what it accepts is the grammar's language.</summary>
    public static TokenVocabulary Bytes { get; } = new([.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value })]);

    /// <summary>The tokenizers that travel with the repository and whose tokens are bytes by themselves, and the real model's.</summary>
    public static IEnumerable<string> Names =>
        ["gpt2-style", "llama3-style", "gemma-style", "llama-sp-nolegacy", .. SharedFiles.TryGet(RealModel) is null ? Array.Empty<string>() : [RealModel]];

    private const string RealModel = "models/smollm2-135m-instruct-q4_1.gguf";

    public static TokenVocabulary Of(string name)
    {
        lock (s_made)
        {
            if (!s_made.TryGetValue(name, out TokenVocabulary? vocabulary))
            {
                TokenBytes bytes = TokenizerOf(name).TryGetBytes()!;
                s_made.Add(name, vocabulary = new TokenVocabulary(bytes.Tokens, bytes.FirstTokens));
            }

            return vocabulary;
        }
    }

    public static Tokenizer TokenizerOf(string name) =>
        name == RealModel ? ModelText.Read(SharedFiles.Require(name)).Tokenizer! : Tokenizer.FromFile(Path.Combine(Repository.Fixture("tokenizers"), name, "tokenizer.json"));
}
