using System.Runtime.CompilerServices;
using System.Text.Json;
using LoraServe.Tokenization.Models;

namespace LoraServe.Tokenization.Files;

/// <summary>Reads a byte-pair model of a tokenizer.json. Its <c>dropout</c> plays no part: it varies the tokens of a text in training.</summary>
internal static class BpeModelReader
{
    public static BpeConfig Read(JsonNode model, Vocabulary vocabulary)
    {
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static MergeTable ReadMerges(JsonNode list, Vocabulary vocabulary, string prefix)
    {
        MergeTable merges = new(list.Count);
        char[] joined = new char[256];
        string path = list.Path;
        int rank = 0;
        int merged = Vocabulary.None;
        foreach (JsonElement element in list.Elements())
        {
            JsonNode item = new(element, path, rank);
            (string pair, string? right, int space) = ReadPair(item);
            ReadOnlySpan<char> leftText = pair.AsSpan(0, space);
            ReadOnlySpan<char> rightText = right is null ? pair.AsSpan(space + 1) : right;
            ReadOnlySpan<char> rest = rightText.StartsWith(prefix) ? rightText[prefix.Length..] : rightText;
            int length = leftText.Length + rest.Length;
            if (length > joined.Length)
            {
                joined = new char[2 * length];
            }

            leftText.CopyTo(joined);
            rest.CopyTo(joined.AsSpan(leftText.Length));
            merged = Known(vocabulary.IdOrNone(joined.AsSpan(0, length), likely: merged + 1), joined.AsSpan(0, length), item);
            merges.Add(
                Known(vocabulary.IdOrNone(leftText), leftText, item),
                Known(vocabulary.IdOrNone(rightText), rightText, item),
                rank++,
                merged);
        }

        return merges;
    }

    private static int Known(int id, ReadOnlySpan<char> token, JsonNode merge) => id != Vocabulary.None
        ? id
        : throw merge.Refused($"the merge {merge.Element.GetRawText()} needs '{token}', which is not in the vocabulary");

    /// <summary>A merge is an array of two tokens, or in older files a string with a space between them.</summary>
    private static (string Left, string? Right, int LeftLength) ReadPair(JsonNode item)
    {
        if (item.IsString)
        {
            string pair = item.AsString();
            int space = pair.IndexOf(' ', StringComparison.Ordinal);
            return space >= 0 && pair.IndexOf(' ', space + 1) < 0
                ? (pair, null, space)
                : throw item.Refused($"a merge has {pair.Count(c => c == ' ') + 1} parts; expected 2");
        }

        if (!item.IsPair)
        {
            throw item.Refused($"a merge has {item.Count} parts; expected an array of 2");
        }

        // The parts go by the merge's path: to make one for each would take longer than to read them.
        string left = (item with { Element = item.Element[0] }).AsString();
        return (left, (item with { Element = item.Element[1] }).AsString(), left.Length);
    }
}
