using LoraServe.Testing;
using LoraServe.Tokenization.Files;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Tests;

public class GgufTokenizerTests
{
    private static readonly string[] s_texts =
    [
        "Hello, world! It's 12345 o'clock.", "  two  spaces\n\n\tand\r\na tab ", "naïve café e\u0301 日本語 한국어", "𝒳𐐷 👍🏽👩‍🚀",
        "<|im_start|>user\nHi<|im_end|>", "x=1;y=22;z=333;w=4444", "I'LL you'Re DON'T", "١٢٣ Ⅷ ½", " ", "",
    ];

    private static readonly string[] s_prompts = SharedFiles.TryGet("fixtures/tokenizers/qwen2-style/cases.jsonl") is { } cases
        ? [.. GoldenCases.Rows(cases).Select(row => row.GetProperty("text").GetString()!)]
        : [];

    public static TheoryData<string> SharedPairs => [.. SharedFiles.Cases(Pairs().Select(pair => pair.Gguf))];

    [SkippableTheory]
    [MemberData(nameof(SharedPairs))]
    public void FromGguf_EmbeddedTokenizer_EncodesLikeTheJsonFile(string gguf)
    {
        string path = SharedFiles.Require(gguf);
        Tokenizer embedded = Tokenizer.FromGguf(GgufMetadata.Read(path));
        Tokenizer json = Tokenizer.FromFile(SharedFiles.Require(Pairs().First(pair => pair.Gguf == gguf).Json));
        foreach (string text in s_texts.Concat(s_prompts))
        {
            int[] ids = json.Encode(text, addSpecialTokens: false);
            Assert.Equal(ids, embedded.Encode(text, addSpecialTokens: false));
            Assert.Equal(json.Decode(ids, skipSpecialTokens: true), embedded.Decode(ids, skipSpecialTokens: true));
        }
    }

    /// <summary>What is written of a GGUF's vocabulary is the same tokenizer, in every file that there is.</summary>
    [SkippableTheory]
    [MemberData(nameof(SharedPairs))]
    public void GgufTokenizerFiles_EmbeddedTokenizer_EncodesAndDecodesLikeIt(string gguf)
    {
        GgufTokenizerData data = GgufMetadata.Read(SharedFiles.Require(gguf));
        Tokenizer embedded = Tokenizer.FromGguf(data);
        Tokenizer written = Written(data);

        AssertSame(embedded, written, s_texts.Concat(s_prompts));
    }

    [SkippableFact]
    public void GgufTokenizerFiles_SharedModelFile_PassesTheCasesOfItsTokenizer()
    {
        string folder = SharedFiles.Require("fixtures/tokenizers/smollm2");
        string? path = Directory.GetFiles(SharedFiles.Require("models"), "smollm2*.gguf").FirstOrDefault();
        Skip.If(path is null, "No smollm2 model file.");

        GoldenCases.AssertNone(GoldenCases.CompareCases(Path.Combine(folder, "cases.jsonl"), Written(GgufMetadata.Read(path))));
    }

    [Fact]
    public void GgufTokenizerFiles_Scores_EncodeAndDecodeLikeThem()
    {
        string[] tokens = ["<unk>", "<s>", "</s>", "▁", "a", "b", "c", "ab", "▁a", "bc", "abc", "▁▁", "<tool>", .. Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>")];
        foreach (bool addsSpace in (bool[])[true, false])
        {
            GgufTokenizerData data = new()
            {
                Source = "m.gguf",
                Model = "llama",
                Tokens = tokens,
                Scores = [.. tokens.Select((_, id) => (float)-id)],
                TokenTypes = [2, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, .. Enumerable.Repeat(6, 256)],
                AddEosToken = true,
                AddSpacePrefix = addsSpace,
            };

            AssertSame(Tokenizer.FromGguf(data), Written(data), ["", "a", "abc abc", "  aabcb  c", "<s>ab<tool> ab", "é\n日本", "abcabcabc▁a"]);
        }
    }

    [Theory]
    [InlineData("gpt-2")]
    [InlineData("smollm")]
    [InlineData("llama-bpe")]
    [InlineData("qwen2")]
    [InlineData("gpt-4o")]
    [InlineData("tekken")]
    [InlineData("deepseek-coder")]
    [InlineData("deepseek-v3")]
    [InlineData("falcon")]
    [InlineData("default")]
    [InlineData("tiny_aya")]
    public void GgufTokenizerFiles_EveryPreTokenizer_CutsLikeTheEmbedded(string name)
    {
        string[] tokens = [.. Enumerable.Range(0, 256).Select(b => ByteCharacters.Of((byte)b).ToString()), "it", "12", "Ġa", "<|end|>"];
        GgufTokenizerData data = new()
        {
            Source = "m.gguf",
            Model = "gpt2",
            PreTokenizer = name,
            Tokens = tokens,
            Merges = ["i t", "1 2", "Ġ a", "no such"],
            TokenTypes = [.. Enumerable.Repeat(1, 259), 3],
            BosTokenId = 259,
            EosTokenId = 259,
        };

        AssertSame(Tokenizer.FromGguf(data), Written(data), s_texts);
    }

    [Fact]
    public void GgufTokenizerFiles_OtherModels_AreNotWritten()
    {
        GgufTokenizerData data = new() { Source = "m", Model = "t5", Tokens = [] };

        Assert.Contains("'t5'", Assert.Throws<TokenizerFormatException>(() => GgufTokenizerFiles.WriteTokenizer(data, Stream.Null)).Message, StringComparison.Ordinal);
    }

    private static void AssertSame(Tokenizer expected, Tokenizer actual, IEnumerable<string> texts)
    {
        Assert.Equal(expected.VocabularySize, actual.VocabularySize);
        Assert.Equal(expected.SpecialIds, actual.SpecialIds);
        foreach (string text in texts)
        {
            foreach (bool special in (bool[])[true, false])
            {
                int[] ids = expected.Encode(text, addSpecialTokens: special, parseSpecialTokens: special);
                Assert.Equal(ids, actual.Encode(text, addSpecialTokens: special, parseSpecialTokens: special));
                Assert.Equal(expected.Decode(ids, skipSpecialTokens: special), actual.Decode(ids, skipSpecialTokens: special));
            }
        }
    }

    /// <summary>The tokenizer of the files that are written of a GGUF's vocabulary.</summary>
    private static Tokenizer Written(GgufTokenizerData data)
    {
        using TemporaryDirectory folder = new();
        using (FileStream tokenizer = File.Create(folder.File("tokenizer.json")))
        {
            GgufTokenizerFiles.WriteTokenizer(data, tokenizer);
        }

        using (FileStream settings = File.Create(folder.File(TokenizerSettings.ConfigFile)))
        {
            GgufTokenizerFiles.WriteSettings(data, settings);
        }

        return Tokenizer.FromFile(folder.File("tokenizer.json"));
    }

    [SkippableFact]
    public void FromGguf_SharedModelFile_PassesTheCasesOfItsTokenizer()
    {
        string folder = SharedFiles.Require("fixtures/tokenizers/smollm2");
        string models = SharedFiles.Require("models");
        string? path = Directory.GetFiles(models, "smollm2*.gguf").FirstOrDefault();
        Skip.If(path is null, "No smollm2 model file.");
        Tokenizer tokenizer = Tokenizer.FromGguf(GgufMetadata.Read(path));
        GoldenCases.AssertNone(GoldenCases.CompareCases(Path.Combine(folder, "cases.jsonl"), tokenizer));
        GoldenCases.AssertNone(GoldenCases.CompareStreaming(Path.Combine(folder, "streaming.jsonl"), tokenizer));
    }

    [Fact]
    public void FromGguf_UnknownPreTokenizer_IsRefusedByName()
    {
        GgufTokenizerData data = new() { Source = "m.gguf", Model = "gpt2", Tokens = ["a"], Merges = [], PreTokenizer = "no-such-thing" };
        TokenizerFormatException exception = Assert.Throws<TokenizerFormatException>(() => Tokenizer.FromGguf(data));
        Assert.Contains("m.gguf", exception.Message, StringComparison.Ordinal);
        Assert.Contains("no-such-thing", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gpt-2", "It's 1234  ok\n\n!?", "It|'s| 1234| | ok|\n|\n|!?")]
    [InlineData("smollm", "It's 1234  ok\n\n!?", "It|'s| |1|2|3|4| | ok|\n|\n|!?")]
    [InlineData("llama-bpe", "IT'S 1234  ok\n\n!?", "IT|'S| |123|4| | ok|\n\n|!?")]
    [InlineData("minicpm5", "IT'S 1234", "IT|'S| |123|4")]
    [InlineData("qwen2", "IT'S 1234  ok!?\n", "IT|'S| |1|2|3|4| | ok|!?\n")]
    [InlineData("qwen35", "a\u0E31b 12", "a\u0E31b| |1|2")]
    [InlineData("stablelm2", "It's 12", "It|'s| |1|2")]
    [InlineData("bailingmoe", "It's\n\n12", "It|'s|\n\n|1|2")]
    [InlineData("seed-coder", "It's !?\n12", "It|'s| !?|\n|1|2")]
    [InlineData("gpt-4o", "camelCase'S a/b//\n 1234", "camel|Case'S| a|/b|//\n| |123|4")]
    [InlineData("tiny_aya", "12345 ab", "12|345| ab")]
    [InlineData("tekken", "camelCase 12", "camel|Case| |1|2")]
    [InlineData("deepseek-coder", "ab, 12\n", "ab|,| |1|2|\n")]
    [InlineData("deepseek-v3", "日本a (x) 1234", "日本|a| (|x|)| |123|4")]
    [InlineData("bloom", "ab, cd. 12", "ab|,| cd|.| 12")]
    [InlineData("viking", "ab, 12", "ab|,| |1|2")]
    [InlineData("falcon", "a!? 12345", "a|!?| |123|45")]
    [InlineData("default", "a!? 12345", "a|!?| |123|45")]
    public void Find_KnownName_CutsAsTheModelDoes(string name, string text, string expected)
    {
        List<string> words = [];
        PreTokenizerReader.Read(JsonNode.Parse(GgufPreTokenizer.Find(name).PreTokenizer), takesBytes: true).CreateStage(new Words(words)).Accept(TextPiece.Whole(text, trackOrigins: false));
        Assert.Equal(expected, string.Join('|', words));
    }

    [Theory]
    [InlineData("rwkv", null, 0, "rwkv")]
    [InlineData("bert", null, 0, "unknown_token_id")]
    [InlineData("t5", null, 0, "scores")]
    [InlineData("gpt2", 7, 0, "bos_token_id")]
    [InlineData("gpt2", 0, 1, "token_type")]
    [InlineData("llama", 0, 0, "scores")]
    public void FromGguf_ContradictoryMetadata_IsRefusedByKey(string model, int? bos, int extraTypes, string named)
    {
        GgufTokenizerData data = new()
        {
            Source = "m.gguf",
            Model = model,
            Tokens = ["a", "b"],
            Merges = [],
            PreTokenizer = "gpt-2",
            BosTokenId = bos,
            TokenTypes = [.. Enumerable.Repeat(1, 2 + extraTypes)],
        };
        Assert.Contains(named, Assert.Throws<TokenizerFormatException>(() => Tokenizer.FromGguf(data)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromGguf_ScoresAndBytes_MergesTheBestAndFallsBackToBytes()
    {
        string[] tokens = ["<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "▁a", .. Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>")];
        GgufTokenizerData data = new()
        {
            Source = "m.gguf",
            Model = "llama",
            Tokens = tokens,
            Scores = [0, 0, 0, -9, -9, -9, -1, -2, .. new float[256]],
            TokenTypes = [2, 3, 3, 1, 1, 1, 1, 1, .. Enumerable.Repeat(6, 256)],
            BosTokenId = 1,
        };
        Tokenizer tokenizer = Tokenizer.FromGguf(data);
        int[] ids = tokenizer.Encode("ab aé", addSpecialTokens: true);
        Assert.Equal([1, 3, 6, 7, 8 + 0xC3, 8 + 0xA9], ids);
        Assert.Equal("ab aé", tokenizer.Decode(ids, skipSpecialTokens: true));
    }

    private sealed class Words(List<string> words) : IPieceSink
    {
        public void Accept(in TextPiece piece) => words.Add(piece.Span.ToString());
    }

    private static IEnumerable<(string Gguf, string Json)> Pairs()
    {
        foreach (string file in SharedFiles.FileNames("fixtures/gguf", "*.gguf"))
        {
            string name = Path.GetFileNameWithoutExtension(file);
            string json = $"fixtures/gguf/{name[..name.LastIndexOf('-')]}.tokenizer.json";
            if (SharedFiles.TryGet(json) is not null)
            {
                yield return ($"fixtures/gguf/{file}", json);
            }
        }
    }
}
