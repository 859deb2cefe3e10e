using System.Text.Json;
using LoraServe.Testing;
using LoraServe.Tokenization.Files;

namespace LoraServe.Tokenization.Tests;

/// <summary>GGUF's model "llama": pairs of symbols merge by the score of the token that they make, the best first and the leftmost among equals.</summary>
public class SentencePieceTests
{
    private const string SharedTokenizers = "fixtures/tokenizers";

    public static TheoryData<string> Folders =>
        [.. SharedFiles.Cases(SharedFiles.FolderNames(SharedTokenizers).Where(name => PrependsAndReplaces(SharedFiles.TryGet($"{SharedTokenizers}/{name}/tokenizer.json"))))];

    /// <summary>In a trained model the scores fall with the order of the merges, so that order, written as scores, must give the same ids.</summary>
    [SkippableTheory]
    [MemberData(nameof(Folders))]
    public void FromGguf_ScoresInTheOrderOfTheMerges_PassesTheCasesOfTheTokenizer(string name)
    {
        string folder = SharedFiles.Require($"{SharedTokenizers}/{name}");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")));
        Tokenizer tokenizer = Tokenizer.FromGguf(ScoresOfMerges(document.RootElement));
        GoldenCases.AssertNone(GoldenCases.CompareCases(Path.Combine(folder, "cases.jsonl"), tokenizer));
        GoldenCases.AssertNone(GoldenCases.CompareStreaming(Path.Combine(folder, "streaming.jsonl"), tokenizer));
    }

    [Fact]
    public void FromGguf_ScoresInTheOrderOfTheMerges_EncodesPlainTextLikeTheJsonFile()
    {
        string folder = Repository.Fixture("tokenizers/llama-sp-nolegacy");
        string path = Path.Combine(folder, "tokenizer.json");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        Tokenizer json = Tokenizer.FromFile(path);
        Tokenizer gguf = Tokenizer.FromGguf(ScoresOfMerges(document.RootElement));
        int compared = 0;
        foreach (JsonElement row in GoldenCases.Rows(Path.Combine(folder, "cases.jsonl")))
        {
            // Before white space and after an added token the two put spaces differently, as they should.
            string text = row.GetProperty("text").GetString()!;
            if (text.Length > 0 && text[0] != ' ' && !text.Contains('<', StringComparison.Ordinal))
            {
                Assert.Equal(json.Encode(text, addSpecialTokens: false), gguf.Encode(text, addSpecialTokens: false));
                compared++;
            }
        }

        Assert.True(compared > 10, $"Only {compared} texts were compared.");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void FromGguf_RandomScores_MergesAsTheDefinitionSays(int seed)
    {
        Random random = new(seed);
        List<string> tokens = ["<unk>", "<s>", "</s>", "▁", "a", "b", "c", "é"];
        while (tokens.Count < 80)
        {
            string token = string.Concat(Enumerable.Range(0, 2).Select(_ => tokens[random.Next(3, tokens.Count)]));
            if (token.Length <= 9 && !tokens.Contains(token))
            {
                tokens.Add(token);
            }
        }

        // Few distinct scores, so that many are equal.
        float[] scores = [.. tokens.Select(_ => (float)-random.Next(25))];
        Tokenizer tokenizer = Tokenizer.FromGguf(Data([.. tokens], scores, [2, 3, 3, .. Enumerable.Repeat(1, tokens.Count - 3)]));
        for (int round = 0; round < 300; round++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(1, round < 290 ? 40 : 200)).Select(_ => "▁abcé"[random.Next(5)])).Replace('▁', ' ');
            Assert.Equal(Merge("▁" + text.Replace(' ', '▁'), tokens, scores), tokenizer.Encode(text, addSpecialTokens: false));
        }
    }

    [Fact]
    public void FromGguf_NoSpecialIds_TakesThoseThatSentencePieceGives()
    {
        Tokenizer tokenizer = Tokenizer.FromGguf(Data(["<unk>", "<s>", "</s>", "▁", "a"], new float[5], [2, 3, 3, 1, 1]));
        Assert.Equal(new SpecialTokenIds(Bos: 1, Eos: 2, Unknown: 0), tokenizer.SpecialIds);
        Assert.Equal([1, 3, 4, 0], tokenizer.Encode("aλ", addSpecialTokens: true));
    }

    [Fact]
    public void FromGguf_UserDefinedToken_IsCutOutAndTheTextAfterItStartsAnew()
    {
        Tokenizer tokenizer = Tokenizer.FromGguf(Data(["<unk>", "<s>", "</s>", "▁", "a", "<tool>"], new float[6], [2, 3, 3, 1, 1, 4]));
        Assert.Equal([3, 4, 5, 3, 4], tokenizer.Encode("a<tool>a", addSpecialTokens: false, parseSpecialTokens: false));
        Assert.False(tokenizer.IsSpecial(5));
    }

    /// <summary>The definition, word for word: look at all pairs, merge the best, begin again.</summary>
    private static List<int> Merge(string text, List<string> tokens, float[] scores)
    {
        List<string> symbols = [.. text.EnumerateRunes().Select(rune => rune.ToString())];
        while (true)
        {
            int best = -1;
            float bestScore = float.NegativeInfinity;
            for (int i = 0; i + 1 < symbols.Count; i++)
            {
                int id = tokens.IndexOf(symbols[i] + symbols[i + 1]);
                if (id >= 0 && scores[id] > bestScore)
                {
                    (best, bestScore) = (i, scores[id]);
                }
            }

            if (best < 0)
            {
                return [.. symbols.Select(symbol => tokens.IndexOf(symbol))];
            }

            symbols[best] += symbols[best + 1];
            symbols.RemoveAt(best + 1);
        }
    }

    /// <summary>Whether a tokenizer.json is of SentencePiece's kind, as the converters of Llama 2 write it.</summary>
    private static bool PrependsAndReplaces(string? path)
    {
        if (path is null)
        {
            return false;
        }

        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.GetProperty("model").TryGetProperty("byte_fallback", out JsonElement fallback) && fallback.ValueKind == JsonValueKind.True
            && document.RootElement.GetProperty("pre_tokenizer").ValueKind == JsonValueKind.Null
            && document.RootElement.GetProperty("normalizer").GetRawText().Contains("Prepend", StringComparison.Ordinal);
    }

    /// <summary>What the converter would write into a GGUF file, had the merges come from scores.</summary>
    internal static GgufTokenizerData ScoresOfMerges(JsonElement root)
    {
        JsonElement model = root.GetProperty("model");
        Dictionary<string, int> ids = model.GetProperty("vocab").EnumerateObject().ToDictionary(field => field.Name, field => field.Value.GetInt32());
        string[] tokens = new string[ids.Count];
        foreach ((string token, int id) in ids)
        {
            tokens[id] = token;
        }

        float[] scores = [.. Enumerable.Repeat(-1e9f, tokens.Length)];
        int rank = 0;
        foreach (JsonElement merge in model.GetProperty("merges").EnumerateArray())
        {
            string result = merge.ValueKind == JsonValueKind.String
                ? merge.GetString()!.Replace(" ", "", StringComparison.Ordinal)
                : string.Concat(merge.EnumerateArray().Select(part => part.GetString()));
            scores[ids[result]] = Math.Max(scores[ids[result]], -rank++);
        }

        int[] types = [.. tokens.Select(token => token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) ? 6 : 1)];
        foreach (JsonElement added in root.GetProperty("added_tokens").EnumerateArray())
        {
            int id = added.GetProperty("id").GetInt32();
            types[id] = id == 0 ? 2 : added.GetProperty("special").GetBoolean() ? 3 : 4;
        }

        return Data(tokens, scores, types);
    }

    private static GgufTokenizerData Data(string[] tokens, float[] scores, int[] types) =>
        new() { Source = "m.gguf", Model = "llama", Tokens = tokens, Scores = scores, TokenTypes = types };
}
