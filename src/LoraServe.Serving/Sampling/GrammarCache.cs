using System.Security.Cryptography;
using System.Text;
using LoraServe.Grammars;
using LoraServe.Grammars.Masks;
using LoraServe.Grammars.Rules;
using LoraServe.Serving.Requests;
using LoraServe.Tokenization;
using Microsoft.Extensions.Caching.Memory;

namespace LoraServe.Serving.Sampling;

/// <summary>Grammars over the model's tokens, each made once for all requests that ask for it. Any thread may call.</summary>
internal sealed class GrammarCache(ITextCodec? codec) : IDisposable
{
    /// <summary>Most grammars that are kept; each may keep <see cref="CompiledGrammar.MostBytes"/> of masks.</summary>
    private const int MostGrammars = 32;

    private readonly MemoryCache _grammars = new(new MemoryCacheOptions { SizeLimit = MostGrammars });
    private readonly Lazy<TokenVocabulary> _vocabulary = new(() => ReadVocabulary(codec));

    /// <summary>The grammar of a constraint. Takes some milliseconds where it is new.</summary>
    /// <exception cref="EngineException">It is not well formed, not supported or too large, or the model's tokenizer does not go with grammars.</exception>
    public CompiledGrammar Get(Constraint constraint)
    {
        TokenVocabulary vocabulary = _vocabulary.Value;
        string key = KeyOf(constraint);
        if (_grammars.TryGetValue(key, out CompiledGrammar? known))
        {
            return known!;
        }

        try
        {
            return _grammars.Set(key, Read(constraint).Compile(vocabulary), new MemoryCacheEntryOptions { Size = 1 });
        }
        catch (GrammarException error)
        {
            throw new EngineException(EngineError.InvalidSampling, $"{FieldOf(constraint.Kind)}: {error.Message}", error) { Field = FieldOf(constraint.Kind) };
        }
    }

    public void Dispose() => _grammars.Dispose();

    private static Grammar Read(Constraint constraint) => constraint.Kind switch
    {
        ConstraintKind.JsonSchema => Grammar.FromJsonSchema(constraint.Texts[0]),
        ConstraintKind.JsonObject => Grammar.JsonObject,
        ConstraintKind.Regex => Grammar.FromRegex(constraint.Texts[0]),
        ConstraintKind.Grammar => Grammar.FromGbnf(constraint.Texts[0]),
        _ => Grammar.FromChoices(constraint.Texts),
    };

    private static string FieldOf(ConstraintKind kind) => kind switch
    {
        ConstraintKind.JsonSchema => "json_schema",
        ConstraintKind.JsonObject => "json_object",
        ConstraintKind.Regex => "regex",
        ConstraintKind.Grammar => "grammar",
        _ => "choices",
    };

    private static string KeyOf(Constraint constraint)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string text in constraint.Texts)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }

        return $"{constraint.Kind} {Convert.ToHexString(hash.GetHashAndReset())}";
    }

    private static TokenVocabulary ReadVocabulary(ITextCodec? codec)
    {
        TokenBytes bytes = codec?.TryGetBytes() ?? throw new EngineException(
            EngineError.Unsupported,
            codec is null
                ? "The model has no tokenizer, so an answer cannot be constrained. Serve it with its tokenizer."
                : "What a token of this model's tokenizer adds to a text depends on the tokens beside it, so an answer cannot be constrained.");
        return new TokenVocabulary(bytes.Tokens, bytes.FirstTokens);
    }
}
