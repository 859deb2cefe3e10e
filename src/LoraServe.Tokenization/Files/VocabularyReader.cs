using System.Runtime.CompilerServices;
using System.Text.Json;
using LoraServe.Tokenization.Models;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads the tokens of a tokenizer.json's model: an object with their ids, or for Unigram a list of pairs of a token and its score.</summary>
internal static class VocabularyReader
{
    public static Vocabulary Read(JsonNode list) => list.IsObject ? ReadIds(list) : new Vocabulary([.. ReadScores(list).Select(pair => pair.Token)]);

    /// <summary>The tokens of a list of pairs, in order, with their scores.</summary>
    public static IEnumerable<(string Token, double Score)> ReadScores(JsonNode list)
    {
        foreach (JsonNode item in list.Items())
        {
            if (!item.IsPair)
            {
                throw item.Refused($"found {item.Count} items; expected an array of a token and its score");
            }

            string token = (item with { Element = item.Element[0] }).AsString();
            double score = (item with { Element = item.Element[1] }).AsDouble();
            yield return token.Length <= TokenTrie.LongestToken
                ? (token, score)
                : throw item.Refused($"the token has {token.Length} characters; expected at most {TokenTrie.LongestToken}");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vocabulary ReadIds(JsonNode list)
    {
        string[] tokens = new string[list.Count];
        int[] ids = new int[tokens.Length];
        string path = list.Path;
        long limit = (4L * ids.Length) + 65536; // Ids need not be without gaps, but one small file must not make a table of gigabytes.
        int count = 0;
        foreach (JsonProperty field in list.Properties())
        {
            tokens[count] = JsonNode.NameOf(field, path);
            int id = new JsonNode(field.Value, path).AsInt();
            ids[count] = id >= 0 && id < limit
                ? id
                : throw list.Refused($"token '{tokens[count]}' has the id {id}; expected 0 to {limit - 1} for a vocabulary of {ids.Length} tokens");
            count++;
        }

        return new Vocabulary(tokens, ids);
    }
}
