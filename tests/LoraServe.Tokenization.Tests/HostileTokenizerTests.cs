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
}
