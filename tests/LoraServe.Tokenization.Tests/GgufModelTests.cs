using System.Globalization;
using System.Text.Json;
using LoraServe.Testing;
using LoraServe.Tokenization.Files;
using LoraServe.Tokenization.Normalizers;

namespace LoraServe.Tokenization.Tests;

/// <summary>GGUF's models "t5" and "bert", and Gemma's "llama", made of a tokenizer.json as llama.cpp's converter makes them.</summary>
public class GgufModelTests
{
    private const int Normal = 1;
    private const int Unknown = 2;
    private const int Control = 3;
    private const int UserDefined = 4;

    [SkippableFact]
    public void FromGguf_Bert_PassesTheCasesOfTheTokenizer()
    {
        string folder = SharedFiles.Require("fixtures/tokenizers/bert-wordpiece");
        Tokenizer tokenizer = Bert(folder);

        GoldenCases.AssertNone(GoldenCases.CompareCases(Path.Combine(folder, "cases.jsonl"), tokenizer));
        GoldenCases.AssertNone(GoldenCases.CompareStreaming(Path.Combine(folder, "streaming.jsonl"), tokenizer));
    }

    [Fact]
    public void FromGguf_BertOfTheRepository_PassesTheCasesOfTheTokenizer()
    {
        string folder = Repository.Fixture("tokenizers/bert-wordpiece");

        GoldenCases.AssertNone(GoldenCases.CompareCases(Path.Combine(folder, "cases.jsonl"), Bert(folder)));
    }

    /// <summary>The same ids everywhere. Places differ only where a control character was dropped or marks were looked up whole, which the library counts in its own way.</summary>
    [SkippableFact]
    public void FromGguf_T5_GivesTheIdsOfTheTokenizer()
    {
        string folder = SharedFiles.Require("fixtures/tokenizers/t5-unigram");
        Tokenizer json = Tokenizer.FromFile(Path.Combine(folder, "tokenizer.json"));
        Tokenizer gguf = T5(folder);
        foreach (JsonElement row in GoldenCases.Rows(Path.Combine(folder, "cases.jsonl")))
        {
            string text = row.GetProperty("text").GetString()!;
            bool special = row.GetProperty("add_special_tokens").GetBoolean();
            TokenEncoding expected = json.EncodeWithOffsets(text, special);
            TokenEncoding actual = gguf.EncodeWithOffsets(text, special);

            Assert.Equal(expected.Ids, actual.Ids);
            Assert.Equal(json.Decode([.. expected.Ids], skipSpecialTokens: true), gguf.Decode([.. actual.Ids], skipSpecialTokens: true));
            if (!text.Any(c => (char.IsControl(c) && !char.IsWhiteSpace(c)) || c is '\v' or '\f' || CharUnicodeInfo.GetUnicodeCategory(c) == UnicodeCategory.NonSpacingMark))
            {
                Assert.Equal(expected.Offsets, actual.Offsets);
            }
        }
    }

    /// <summary>The converter writes the spaces of added tokens as such: they are found in the text as it is, where tokenizer.json lets merges decide. Else nothing differs.</summary>
    [SkippableFact]
    public void FromGguf_Gemma_GivesTheIdsPlacesAndTextOfTheTokenizer()
    {
        string folder = SharedFiles.Require("fixtures/tokenizers/gemma-style");
        Tokenizer json = Tokenizer.FromFile(Path.Combine(folder, "tokenizer.json"));
        Tokenizer gguf = Gemma(folder);
        foreach (JsonElement row in GoldenCases.Rows(Path.Combine(folder, "cases.jsonl")))
        {
            string text = row.GetProperty("text").GetString()!;
            if (text.Contains("  ", StringComparison.Ordinal) || text.Contains('▁', StringComparison.Ordinal))
            {
                continue;
            }

            TokenEncoding expected = json.EncodeWithOffsets(text, addSpecialTokens: true);
            TokenEncoding actual = gguf.EncodeWithOffsets(text, addSpecialTokens: true);

            Assert.Equal(expected.Ids, actual.Ids);
            Assert.Equal(expected.Offsets, actual.Offsets);
            Assert.Equal(json.Decode([.. expected.Ids], skipSpecialTokens: true), gguf.Decode([.. actual.Ids], skipSpecialTokens: true));
        }

        Assert.Equal(["<bos>", "a", "  ", "b"], gguf.EncodeWithOffsets("a  b", addSpecialTokens: true).Tokens);
    }

    [Theory]
    [InlineData(true, true, "  a  b ", "▁a▁b")]
    [InlineData(true, false, "  a  b ", "▁▁▁a▁▁b▁")]
    [InlineData(false, false, " ab", "▁ab")]
    [InlineData(false, true, "a b", "▁a▁b")]
    [InlineData(true, true, "①\u3000ﬁ\u0301ﷺ", "▁1▁FIصلى▁الله▁عليه▁وسلم")]
    [InlineData(true, true, " ", "")]
    public void SentencePieceNormalizer_TakesTheLongestTextAndSpellsSpaces(bool addsSpace, bool mergesSpaces, string text, string expected) =>
        Assert.Equal(expected, new SentencePieceNormalizer(CharacterMap.Parse(CharacterMaps.Sample), addsSpace, mergesSpaces).Normalize(text));

    [Theory]
    [InlineData(new byte[] { 1 }, "has 1 bytes")]
    [InlineData(new byte[] { 8, 0, 0, 0, 0, 0, 0, 0 }, "its array has 8")]
    [InlineData(new byte[] { 4, 0, 0, 0, 0, 0, 0, 0, 0xFF }, "not UTF-8")]
    public void FromGguf_DamagedMap_IsRefusedByItsKey(byte[] map, string reason)
    {
        GgufTokenizerData data = new() { Source = "m.gguf", Model = "t5", Tokens = ["<pad>", "</s>", "<unk>", "a"], Scores = [0, 0, 0, -1], PrecompiledCharacterMap = map };

        string message = Assert.Throws<TokenizerFormatException>(() => Tokenizer.FromGguf(data)).Message;

        Assert.Contains("tokenizer.ggml.precompiled_charsmap", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    /// <summary>Any bytes after a size that fits: the array may lead anywhere, in circles too.</summary>
    [Fact]
    public void FromGguf_MapsOfRandomUnits_LeadNowhere()
    {
        Random random = new(11);
        for (int round = 0; round < 200; round++)
        {
            byte[] map = new byte[4 + (4 * 512) + 1];
            random.NextBytes(map);
            BitConverter.TryWriteBytes(map, 4 * 512);
            map[^1] = (byte)'x';
            GgufTokenizerData data = new() { Source = "m.gguf", Model = "t5", Tokens = ["<pad>", "</s>", "<unk>", "a", "x"], Scores = [0, 0, 0, -1, -1], PrecompiledCharacterMap = map };

            Assert.InRange(Tokenizer.FromGguf(data).Encode(new string('a', 1000), addSpecialTokens: false).Length, 0, 1000 * 256);
        }
    }

    [Fact]
    public void FromGguf_T5_AddsTheEndAndBertItsFrame()
    {
        Tokenizer t5 = Tokenizer.FromGguf(new GgufTokenizerData { Source = "m", Model = "t5", Tokens = ["<pad>", "</s>", "<unk>", "a"], Scores = [0, 0, 0, -1], TokenTypes = [3, 3, 2, 1] });
        Tokenizer bert = Tokenizer.FromGguf(new GgufTokenizerData
        {
            Source = "m",
            Model = "bert",
            Tokens = ["[UNK]", "[CLS]", "[SEP]", "▁a", "b"],
            TokenTypes = [3, 3, 3, 1, 1],
            UnknownTokenId = 0,
            BosTokenId = 1,
            SeparatorTokenId = 2,
        });

        Assert.Equal([3, 2, 1], t5.Encode("ab", addSpecialTokens: true));
        Assert.Equal([1, 3, 4, 0, 2], bert.Encode("AB ba", addSpecialTokens: true));
        Assert.Equal("ab", bert.Decode([1, 3, 4, 2], skipSpecialTokens: true));
    }

    private static Tokenizer Bert(string folder)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")));
        string[] tokens = InOrder(document.RootElement.GetProperty("model").GetProperty("vocab"));
        int[] types = Types(document.RootElement, tokens.Length, unknown: -1);
        for (int id = 0; id < tokens.Length; id++)
        {
            tokens[id] = types[id] == Control ? tokens[id] : tokens[id].StartsWith("##", StringComparison.Ordinal) ? tokens[id][2..] : "▁" + tokens[id];
        }

        int Id(string token) => Array.IndexOf(tokens, token);
        return Tokenizer.FromGguf(new GgufTokenizerData
        {
            Source = "m.gguf",
            Model = "bert",
            Tokens = tokens,
            TokenTypes = types,
            UnknownTokenId = Id("[UNK]"),
            BosTokenId = Id("[CLS]"),
            SeparatorTokenId = Id("[SEP]"),
        });
    }

    private static Tokenizer T5(string folder)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")));
        JsonElement[] vocabulary = [.. document.RootElement.GetProperty("model").GetProperty("vocab").EnumerateArray()];
        return Tokenizer.FromGguf(new GgufTokenizerData
        {
            Source = "m.gguf",
            Model = "t5",
            Tokens = [.. vocabulary.Select(pair => pair[0].GetString()!)],
            Scores = [.. vocabulary.Select(pair => pair[1].GetSingle())],
            TokenTypes = Types(document.RootElement, vocabulary.Length, document.RootElement.GetProperty("model").GetProperty("unk_id").GetInt32()),
            PrecompiledCharacterMap = document.RootElement.GetProperty("normalizer").GetProperty("normalizers")[0].GetProperty("precompiled_charsmap").GetBytesFromBase64(),
            AddSpacePrefix = true,
            RemoveExtraWhitespaces = true,
        });
    }

    private static Tokenizer Gemma(string folder)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")));
        GgufTokenizerData data = SentencePieceTests.ScoresOfMerges(document.RootElement);
        int[] types = Types(document.RootElement, data.Tokens.Count, unknown: 3);
        string[] tokens = [.. data.Tokens.Select((token, id) => types[id] == UserDefined ? token.Replace('▁', ' ') : token)];
        int[] bytes = [.. types.Select((type, id) => type == Normal ? data.TokenTypes![id] : type)];
        return Tokenizer.FromGguf(data with { Tokens = tokens, TokenTypes = bytes, AddSpacePrefix = false, BosTokenId = 2, EosTokenId = 1, UnknownTokenId = 3 });
    }

    private static string[] InOrder(JsonElement vocabulary)
    {
        string[] tokens = new string[vocabulary.EnumerateObject().Count()];
        foreach (JsonProperty token in vocabulary.EnumerateObject())
        {
            tokens[token.Value.GetInt32()] = token.Name;
        }

        return tokens;
    }

    private static int[] Types(JsonElement root, int count, int unknown)
    {
        int[] types = [.. Enumerable.Repeat(Normal, count)];
        foreach (JsonElement added in root.GetProperty("added_tokens").EnumerateArray())
        {
            types[added.GetProperty("id").GetInt32()] = added.GetProperty("special").GetBoolean() ? Control : UserDefined;
        }

        if (unknown >= 0)
        {
            types[unknown] = Unknown;
        }

        return types;
    }
}
