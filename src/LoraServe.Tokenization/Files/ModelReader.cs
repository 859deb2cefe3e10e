using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Models;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads the model of a tokenizer.json.</summary>
/// <remarks>
/// Special tokens are cut out of a text before the model sees it, where they are asked for. No model finds them on its own, so that a text in
/// which they are plain text cannot bring one in.
/// </remarks>
/// <param name="vocabulary">The model's tokens.</param>
/// <param name="added">The tokens that are found before the model.</param>
internal sealed class ModelReader(Vocabulary vocabulary, AddedVocabulary added)
{
    /// <summary>Reads the model.</summary>
    /// <param name="model">What the file says.</param>
    /// <param name="isByteLevel">Whether its words are bytes spelled as characters.</param>
    public TokenModel Read(JsonNode model, bool isByteLevel)
    {
        string type = TypeOf(model);
        return type switch
        {
            "BPE" => new BpeModel(BpeModelReader.Read(model, vocabulary) with { IsByteLevel = isByteLevel }),
            "Unigram" => ReadUnigram(model),
            "WordPiece" => ReadWordPiece(model),
            "WordLevel" => new WordLevelModel(vocabulary, IsFound, ReadUnknown(model, "<unk>")),
            _ => throw model.Refused($"the model type '{type}' is not supported; expected 'BPE', 'Unigram', 'WordPiece' or 'WordLevel'"),
        };
    }

    /// <summary>The kind of a model; the oldest files do not say it.</summary>
    public static string TypeOf(JsonNode model) =>
        model.Find("type")?.AsString()
            ?? (model.Find("merges") is not null ? "BPE"
            : model.Find("continuing_subword_prefix") is not null ? "WordPiece"
            : model["vocab"].IsObject ? "WordLevel" : "Unigram");

    private bool IsFound(int id) => added[id] is not { IsSpecial: true };

    private UnigramModel ReadUnigram(JsonNode model)
    {
        double[] scores = [.. VocabularyReader.ReadScores(model["vocab"]).Select(pair => pair.Score)];
        int unknown = model.Find("unk_id") is not { } id ? Vocabulary.None
            : id.AsInt() >= 0 && id.AsInt() < scores.Length ? id.AsInt()
            : throw id.Refused($"found {id.AsInt()}; expected 0 to {scores.Length - 1}, an id of the vocabulary");
        double least = scores.DefaultIfEmpty().Min();
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = IsFound(i) ? scores[i] : double.NaN;
        }

        return new UnigramModel(new UnigramConfig
        {
            Vocabulary = vocabulary,
            Scores = scores,
            UnknownScore = least - UnigramConfig.UnknownPenalty,
            UnknownId = unknown,
            HasByteFallback = model.BoolOr("byte_fallback", false),
        });
    }

    private WordPieceModel ReadWordPiece(JsonNode model)
    {
        JsonNode? most = model.Find("max_input_chars_per_word");
        for (int id = 0; id < vocabulary.Size; id++)
        {
            if (vocabulary.Text(id) is { Length: > TokenTrie.LongestToken } token)
            {
                throw model["vocab"].Refused($"the token {id} has {token.Length} characters; expected at most {TokenTrie.LongestToken}");
            }
        }

        return new WordPieceModel(new WordPieceConfig
        {
            Vocabulary = vocabulary,
            IsFound = IsFound,
            UnknownId = ReadUnknown(model, "[UNK]"),
            ContinuingPrefix = model.StringOr("continuing_subword_prefix", WordPieceConfig.UsualPrefix),
            MostCharacters = most is not { } count ? WordPieceConfig.UsualMostCharacters
                : count.AsInt() >= 0 ? count.AsInt() : throw count.Refused($"found {count.AsInt()}; expected 0 or more"),
        });
    }

    private int ReadUnknown(JsonNode model, string otherwise)
    {
        string token = model.StringOr("unk_token", otherwise);
        return vocabulary.IdOrNone(token) is not Vocabulary.None and var id
            ? id
            : throw model.Refused($"the unk_token '{token}', which stands for what the vocabulary lacks, is not in it");
    }
}
