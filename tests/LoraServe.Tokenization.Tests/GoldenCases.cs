using System.Text.Json;

namespace LoraServe.Tokenization.Tests;

/// <summary>Compares a tokenizer with the recorded answers of the library that made its file.</summary>
internal static class GoldenCases
{
    /// <summary>Every difference between what is expected in a folder's cases.jsonl and what the tokenizer says.</summary>
    public static List<string> CompareCases(string casesFile, Tokenizer tokenizer)
    {
        List<string> differences = [];
        int line = 0;
        foreach (JsonElement row in Rows(casesFile))
        {
            line++;
            string text = row.GetProperty("text").GetString()!;
            bool addSpecialTokens = row.GetProperty("add_special_tokens").GetBoolean();
            int[] ids = Ints(row.GetProperty("ids"));
            TokenEncoding encoding = tokenizer.EncodeWithOffsets(text, addSpecialTokens);
            Compare("ids", string.Join(' ', ids), string.Join(' ', encoding.Ids));
            Compare("ids without offsets", string.Join(' ', ids), string.Join(' ', tokenizer.Encode(text, addSpecialTokens)));
            Compare("tokens", string.Join('|', row.GetProperty("tokens").EnumerateArray()), string.Join('|', encoding.Tokens));
            Compare("offsets", string.Join(' ', row.GetProperty("offsets").EnumerateArray().Select(Pair)), string.Join(' ', encoding.Offsets.Select(o => $"{o.Start}-{o.End}")));
            Compare("decoded", row.GetProperty("decoded").GetString()!, tokenizer.Decode(ids, skipSpecialTokens: false));
            Compare("decoded_skip_special", row.GetProperty("decoded_skip_special").GetString()!, tokenizer.Decode(ids, skipSpecialTokens: true));

            void Compare(string field, string expected, string actual)
            {
                if (expected != actual)
                {
                    differences.Add($"line {line} {field} of {JsonSerializer.Serialize(text)}:\n  expected {expected}\n  actual   {actual}");
                }
            }
        }

        Assert.True(line > 0, $"{casesFile} is empty.");
        return differences;
    }

    /// <summary>Every difference between what is expected in a folder's streaming.jsonl and what the tokenizer shows.</summary>
    public static List<string> CompareStreaming(string streamingFile, Tokenizer tokenizer)
    {
        List<string> differences = [];
        int line = 0;
        foreach (JsonElement row in Rows(streamingFile))
        {
            line++;
            int[] ids = Ints(row.GetProperty("ids"));
            bool skip = row.GetProperty("skip_special_tokens").GetBoolean();
            string text = row.GetProperty("text").GetString()!;
            Compare("text", text, tokenizer.Decode(ids, skip));

            JsonElement pieces = row.GetProperty("pieces");
            if (pieces.ValueKind == JsonValueKind.Null)
            {
                continue;
            }

            IncrementalDecoder decoder = tokenizer.CreateDecoder(skip);
            string[] shown = [.. ids.Select(decoder.Append)];
            if (row.GetProperty("kind").GetString() == "exact")
            {
                Compare("pieces", string.Join('|', pieces.EnumerateArray()), string.Join('|', shown));
            }

            Compare("all pieces", text, string.Concat(shown) + decoder.Flush());

            void Compare(string field, string expected, string actual)
            {
                if (expected != actual)
                {
                    differences.Add($"line {line} {field} of [{string.Join(", ", ids)}]:\n  expected {expected}\n  actual   {actual}");
                }
            }
        }

        Assert.True(line > 0, $"{streamingFile} is empty.");
        return differences;
    }

    public static IEnumerable<JsonElement> Rows(string jsonLines) =>
        File.ReadLines(jsonLines).Where(line => line.Length > 0).Select(line => JsonDocument.Parse(line).RootElement);

    public static void AssertNone(List<string> differences) =>
        Assert.True(differences.Count == 0, $"{differences.Count} differences:\n{string.Join('\n', differences.Take(10))}");

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];

    private static string Pair(JsonElement pair) => $"{pair[0].GetInt32()}-{pair[1].GetInt32()}";
}
