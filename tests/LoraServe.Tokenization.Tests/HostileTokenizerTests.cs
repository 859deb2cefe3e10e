using System.Text;
using LoraServe.Testing;
using LoraServe.Tokenization.Files;

namespace LoraServe.Tokenization.Tests;

public class HostileTokenizerTests
{
    [SkippableFact]
    public void FromFile_EveryHostileFile_IsRefusedByNameOrHarmless()
    {
        string manifest = SharedFiles.Require("fixtures/hostile/manifest.jsonl");
        int count = 0;
        foreach (System.Text.Json.JsonElement row in GoldenCases.Rows(manifest))
        {
            string file = row.GetProperty("file").GetString()!;
            string kind = row.GetProperty("kind").GetString()!;
            if (!file.StartsWith("tokenizer/", StringComparison.Ordinal) || kind is not ("tokenizer" or "valid"))
            {
                continue;
            }

            count++;
            string path = Path.Combine(Path.GetDirectoryName(manifest)!, file);
            bool mustLoad = kind == "valid";
            bool mustRefuse = !mustLoad && row.GetProperty("strict").GetBoolean();
            try
            {
                Tokenizer tokenizer = Tokenizer.FromFile(path);
                Assert.False(mustRefuse, $"{file} was accepted: {row.GetProperty("why")}");
                tokenizer.Decode(tokenizer.Encode("abc cab ä", addSpecialTokens: true), skipSpecialTokens: false);
            }
            catch (TokenizerFormatException exception)
            {
                Assert.False(mustLoad, $"{file} was refused: {exception.Message}");
                Assert.Contains(Path.GetFileName(path), exception.Message, StringComparison.Ordinal);
            }
        }

        Assert.True(count > 0, "The manifest names no tokenizer.");
    }

    [Fact]
    public void FromUtf8Json_MutatedFiles_ThrowNothingButFormatExceptions()
    {
        byte[][] seeds = [.. Directory.GetDirectories(Repository.Fixture("tokenizers")).Order(StringComparer.Ordinal)
            .Select(folder => Shrink(File.ReadAllText(Path.Combine(folder, "tokenizer.json"))))];
        Random random = new(20240607);
        string[] splices = ["null", "-1", "1e9", "\"\"", "[]", "{}", "true", "\"\\ud800\"", "99999999999", "\"type\"", "(", "\\\\", "{1000}", "Sequence"];
        for (int round = 0; round < 2000; round++)
        {
            byte[] bytes = Mutate(seeds[round % seeds.Length], random, splices);
            try
            {
                Tokenizer tokenizer = Tokenizer.FromUtf8Json(bytes, "mutated");
                int[] ids = tokenizer.Encode("The quick 狐 jumps\n\n 123 <s> ", addSpecialTokens: true);
                tokenizer.EncodeWithOffsets("a  b\u0301 𝒳 x's", addSpecialTokens: true);
                tokenizer.Decode(ids, skipSpecialTokens: false);
            }
            catch (TokenizerFormatException exception)
            {
                Assert.StartsWith("mutated: ", exception.Message, StringComparison.Ordinal);
            }
        }
    }

    /// <summary>Every character would be a set of its own, and matching would ask all of them of every character of a text.</summary>
    [Theory]
    [InlineData("Regex", 20_000, "20000 characters; expected at most")]
    [InlineData("String", 20_000, "20000 characters; expected at most")]
    [InlineData("String", 5_000, "more than 4096 instructions")]
    public void FromUtf8Json_PatternWithoutEnd_IsRefused(string kind, int length, string reason)
    {
        string pattern = kind == "Regex" ? $"[{new string('a', length - 2)}]" : new string('a', length);
        string json = $$$"""{"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}, "normalizer": {"type": "Replace", "pattern": {"{{{kind}}}": "{{{pattern}}}"}, "content": ""}}""";

        string message = Assert.Throws<TokenizerFormatException>(() => Tokenizer.FromUtf8Json(Encoding.UTF8.GetBytes(json), "long")).Message;

        Assert.StartsWith("long: normalizer.pattern", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    /// <summary>Each step makes three characters of one that is no ASCII, two of an a, …: some dozen make gigabytes of a word.</summary>
    [Theory]
    [InlineData("pre_tokenizer", "pretokenizers", """{"type": "ByteLevel", "add_prefix_space": false}""", 6)]
    [InlineData("normalizer", "normalizers", """{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}""", 10)]
    [InlineData("normalizer", "normalizers", """{"type": "Replace", "pattern": {"Regex": ""}, "content": "a"}""", 10)]
    [InlineData("decoder", "decoders", """{"type": "Replace", "pattern": {"String": "a"}, "content": "aaaa"}""", 5)]
    public void FromUtf8Json_StepsThatMultiply_AreRefused(string component, string steps, string step, int allowed)
    {
        string Json(int count) => $$"""{"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}, "{{component}}": {"type": "Sequence", "{{steps}}": [{{string.Join(',', Enumerable.Repeat(step, count))}}] } }""";

        Assert.NotEmpty(Tokenizer.FromUtf8Json(Encoding.UTF8.GetBytes(Json(allowed)), "many").Encode("a", addSpecialTokens: false));
        Assert.StartsWith($"many: {component}: its steps together", Assert.Throws<TokenizerFormatException>(() => Tokenizer.FromUtf8Json(Encoding.UTF8.GetBytes(Json(allowed + 1)), "many")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type": "Unigram", "unk_id": 0, "vocab": [{"a": 0, "b": 1}]}""")]
    [InlineData("""{"type": "BPE", "vocab": {"a": 0}, "merges": [{"a": 0, "b": 1}]}""")]
    public void FromUtf8Json_ObjectsForPairs_AreRefused(string model) =>
        Assert.Contains("expected an array of", Assert.Throws<TokenizerFormatException>(() => Tokenizer.FromUtf8Json(Encoding.UTF8.GetBytes($$"""{"model": {{model}} }"""), "odd")).Message, StringComparison.Ordinal);

    [Fact]
    public void FromFile_MissingFile_IsAnInputOutputError() =>
        Assert.ThrowsAny<IOException>(() => Tokenizer.FromFile(Path.Combine(Path.GetTempPath(), "no-such-folder", "tokenizer.json")));

    /// <summary>Keeps a few tokens, so that mutations hit the components rather than the vocabulary.</summary>
    private static byte[] Shrink(string json)
    {
        System.Text.Json.Nodes.JsonObject root = System.Text.Json.Nodes.JsonNode.Parse(json)!.AsObject();
        System.Text.Json.Nodes.JsonObject model = root["model"]!.AsObject();
        model["merges"]?.AsArray().Clear();
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    private static byte[] Mutate(byte[] seed, Random random, string[] splices)
    {
        // The vocabulary is most of the file; aim at what comes before it, too.
        List<byte> bytes = [.. seed];
        int limit = random.Next(2) == 0 ? Math.Min(bytes.Count, 3000) : bytes.Count;
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int at = random.Next(limit);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 40), bytes.Count - at));
                    break;
                case 2:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(splices[random.Next(splices.Length)]));
                    break;
                default:
                    ReplaceValue(bytes, at, splices[random.Next(splices.Length)]);
                    break;
            }

            limit = Math.Min(limit, bytes.Count);
        }

        return [.. bytes];
    }

    /// <summary>Puts another value after the next colon, so that the file stays valid JSON more often.</summary>
    private static void ReplaceValue(List<byte> bytes, int from, string value)
    {
        int colon = bytes.IndexOf((byte)':', from);
        int end = colon < 0 ? -1 : bytes.FindIndex(colon, b => b is (byte)',' or (byte)'}');
        if (end > 0)
        {
            bytes.RemoveRange(colon + 1, end - colon - 1);
            bytes.InsertRange(colon + 1, Encoding.UTF8.GetBytes(value));
        }
    }
}
