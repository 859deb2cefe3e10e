using LoraServe.Tokenization.Models;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads the model of a tokenizer.json.</summary>
internal static class BpeModelReader
{
    public static BpeConfig Read(JsonNode model)
    {
        string type = model.StringOr("type", "BPE");
        if (type != "BPE")
        {
            throw model.Refused($"the model type '{type}' is not supported; expected 'BPE'");
        }

        Dictionary<string, int> ids = [];
        foreach ((string token, JsonNode id) in model["vocab"].Fields())
        {
            ids[token] = id.AsInt();
        }

        Vocabulary vocabulary = new(ids);
        string prefix = model.StringOr("continuing_subword_prefix", "");
        return new BpeConfig
        {
            Vocabulary = vocabulary,
            Merges = ReadMerges(model["merges"], vocabulary, prefix),
            IgnoreMerges = model.BoolOr("ignore_merges", false),
            HasByteFallback = model.BoolOr("byte_fallback", false),
            UnknownId = ReadUnknown(model, vocabulary),
            FusesUnknown = model.BoolOr("fuse_unk", false),
            ContinuingPrefix = prefix,
            EndSuffix = model.StringOr("end_of_word_suffix", ""),
        };
    }

    private static int ReadUnknown(JsonNode model, Vocabulary vocabulary)
    {
        if (model.Find("unk_token") is not { } unknown)
        {
            return Vocabulary.None;
        }

        int id = vocabulary.IdOrNone(unknown.AsString());
        return id == Vocabulary.None ? throw unknown.Refused($"'{unknown.AsString()}' is not in the vocabulary") : id;
    }

    private static List<Merge> ReadMerges(JsonNode list, Vocabulary vocabulary, string prefix)
    {
        List<Merge> merges = [];
        foreach (JsonNode item in list.Items())
        {
            (string left, string right) = ReadPair(item);
            string result = left + (right.StartsWith(prefix, StringComparison.Ordinal) ? right[prefix.Length..] : right);
            int Id(string token) => vocabulary.IdOrNone(token) is var id && id != Vocabulary.None
                ? id
                : throw item.Refused($"the merge of '{left}' and '{right}' needs '{token}', which is not in the vocabulary");
            merges.Add(new Merge(Id(left), Id(right), merges.Count, Id(result)));
        }

        return merges;
    }

    /// <summary>A merge is an array of two tokens, or in older files a string with a space between them.</summary>
    private static (string Left, string Right) ReadPair(JsonNode item)
    {
        string[] parts = item.IsString ? item.AsString().Split(' ') : [.. item.Items().Select(part => part.AsString())];
        return parts.Length == 2 ? (parts[0], parts[1]) : throw item.Refused($"a merge has {parts.Length} parts; expected 2");
    }
}
