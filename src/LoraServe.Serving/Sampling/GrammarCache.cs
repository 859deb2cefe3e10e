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
    /// <summary>Most sets of visible tokens over which grammars are laid; a tokenizer with the templates of its adapters has one or two.</summary>
    private const int MostVocabularies = 4;

    /// <summary>Most grammars that are kept; each may keep <see cref="CompiledGrammar.MostBytes"/> of masks.</summary>
    private const int MostGrammars = 32;

    private readonly MemoryCache _grammars = new(new MemoryCacheOptions { SizeLimit = MostGrammars });
    private readonly MemoryCache _vocabularies = new(new MemoryCacheOptions { SizeLimit = MostVocabularies });
    private readonly Lock _reading = new();

    /// <summary>The grammar of a constraint. Takes some milliseconds where it is new.</summary>
    /// <param name="constraint">The constraint.</param>
    /// <param name="visible">Special tokens that have text in the answer.</param>
    /// <exception cref="EngineException">It is not well formed, not supported or too large, or the model's tokenizer does not go with grammars.</exception>
    public CompiledGrammar Get(Constraint constraint, IReadOnlySet<int> visible)
    {
        string tokens = string.Join(' ', visible.Order());
        TokenVocabulary vocabulary = VocabularyOf(tokens, visible);
        string key = $"{KeyOf(constraint)} {tokens}";
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
            string field = constraint.Field ?? FieldOf(constraint.Kind);
            throw new EngineException(EngineError.InvalidSampling, $"{field}: {error.Message}", error) { Field = field };
        }
    }

    public void Dispose()
    {
        _grammars.Dispose();
        _vocabularies.Dispose();
    }

    // A tenth of a second's work, which many requests at a server's start would all begin.
    private TokenVocabulary VocabularyOf(string tokens, IReadOnlySet<int> visible)
    {
        lock (_reading)
        {
            return _vocabularies.TryGetValue(tokens, out TokenVocabulary? known)
                ? known!
                : _vocabularies.Set(tokens, ReadVocabulary(visible), new MemoryCacheEntryOptions { Size = 1 });
        }
    }

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

    private TokenVocabulary ReadVocabulary(IReadOnlySet<int> visible)
    {
        TokenBytes bytes = codec?.TryGetBytes(visible) ?? throw new EngineException(
            EngineError.Unsupported,
            codec is null
                ? "The model has no tokenizer, so an answer cannot be constrained. Serve it with its tokenizer."
                : "What a token of this model's tokenizer adds to a text depends on the tokens beside it, so an answer cannot be constrained.");
        return new TokenVocabulary(bytes.Tokens, bytes.FirstTokens);
    }
}
