using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Models;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads the added tokens of a tokenizer.json and puts those of the files beside it to them.</summary>
internal static class AddedTokenReader
{
    /// <summary>Ids that can be added beyond the vocabulary's.</summary>
    private const int MostAdded = 1_000_000;

    /// <summary>All added tokens.</summary>
    /// <param name="root">The tokenizer.json.</param>
    /// <param name="vocabulary">The model's tokens: one that is added as well keeps the id it has there.</param>
    /// <param name="settings">What the files beside it say.</param>
    public static List<AddedToken> ReadAll(JsonNode root, Vocabulary vocabulary, TokenizerSettings settings)
    {
        List<AddedToken> tokens = [];
        foreach (JsonNode item in root.Find("added_tokens")?.Items() ?? [])
        {
            AddedToken token = Read(item, item["id"].AsInt());
            if (IsBeyond(token.Id, vocabulary))
            {
                throw item.Refused($"the id {token.Id} is outside of the vocabulary's {vocabulary.Size} ids and what can be added to them");
            }

            tokens.Add(WithKnownId(token, vocabulary));
        }

        Dictionary<string, int> places = [];
        for (int i = 0; i < tokens.Count; i++)
        {
            places.TryAdd(tokens[i].Content, i);
        }

        foreach (AddedToken token in settings.Added)
        {
            if (places.TryGetValue(token.Content, out int place))
            {
                tokens[place] = token with { Id = tokens[place].Id };
            }
            else if (IsBeyond(token.Id, vocabulary))
            {
                throw new TokenizerFormatException($"{TokenizerSettings.ConfigFile} beside it adds '{token.Content}' as {token.Id}, which is outside of the vocabulary's {vocabulary.Size} ids and what can be added to them");
            }
            else
            {
                places.Add(token.Content, tokens.Count);
                tokens.Add(WithKnownId(token, vocabulary));
            }
        }

        foreach (string content in settings.Special)
        {
            if (places.TryGetValue(content, out int place))
            {
                tokens[place] = tokens[place] with { IsSpecial = true };
            }
            else if (vocabulary.IdOrNone(content) is not Vocabulary.None and var id)
            {
                places.Add(content, tokens.Count);
                tokens.Add(new AddedToken(id, content, IsSpecial: true));
            }
        }

        return tokens;
    }

    /// <summary>One token; where it does not say, it is searched for in the normalized text unless it is special.</summary>
    public static AddedToken Read(JsonNode item, int id)
    {
        bool special = item.BoolOr("special", false);
        return new AddedToken(
            id,
            item["content"].AsString(),
            IsSpecial: special,
            IsSingleWord: item.BoolOr("single_word", false),
            StripsLeft: item.BoolOr("lstrip", false),
            StripsRight: item.BoolOr("rstrip", false),
            IsNormalized: item.BoolOr("normalized", !special));
    }

    private static bool IsBeyond(int id, Vocabulary vocabulary) => id < 0 || id > vocabulary.Size + MostAdded;

    private static AddedToken WithKnownId(AddedToken token, Vocabulary vocabulary) =>
        vocabulary.IdOrNone(token.Content) is not Vocabulary.None and var known ? token with { Id = known } : token;
}
