using LoraServe.Testing;
using Reference = Tokenizers.DotNet.Tokenizer;

namespace LoraServe.Tokenization.Tests;

/// <summary>What components do with single characters, through the library: its tables are of several versions of Unicode.</summary>
public sealed class ReferenceCodePointTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public static TheoryData<string, string> Components => new()
    {
        { "{'type':'BertNormalizer','clean_text':true,'handle_chinese_chars':true,'strip_accents':false,'lowercase':false}", "{'type':'WhitespaceSplit'}" },
        { "{'type':'BertNormalizer','clean_text':false,'handle_chinese_chars':false,'strip_accents':true,'lowercase':false}", "{'type':'WhitespaceSplit'}" },
        { "{'type':'StripAccents'}", "{'type':'WhitespaceSplit'}" },
        { "{'type':'Nmt'}", "{'type':'WhitespaceSplit'}" },
        { "null", "{'type':'BertPreTokenizer'}" },
        { "null", "{'type':'Punctuation','behavior':'Isolated'}" },
        { "null", "{'type':'Digits','individual_digits':true}" },
        { "null", "{'type':'Whitespace'}" },
        { "null", "{'type':'UnicodeScripts'}" },
    };

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [MemberData(nameof(Components))]
    public void Encode_EveryCharacterBetweenTwoLetters_GivesWhatTheLibraryGives(string normalizer, string preTokenizer)
    {
        string path = _folder.File("tokenizer.json");
        File.WriteAllText(path, $$"""
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "post_processor": null, "decoder": null,
             "normalizer": {{normalizer.Replace('\'', '"')}}, "pre_tokenizer": {{preTokenizer.Replace('\'', '"')}},
             "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {"<unk>": 0, "a": 1, "b": 2, "ab": 3} } }
            """);
        Tokenizer tokenizer = Tokenizer.FromFile(path);
        using Reference reference = ReferenceLibraryTests.Open(path);
        List<string> differences = [];
        foreach (int codePoint in CodePoints())
        {
            string text = $"a{char.ConvertFromUtf32(codePoint)}b";
            string expected = string.Join(' ', reference.Encode(text));
            string actual = string.Join(' ', tokenizer.Encode(text, addSpecialTokens: false));
            if (expected != actual)
            {
                differences.Add($"U+{codePoint:X4}: expected {expected}, actual {actual}");
            }
        }

        Assert.True(differences.Count == 0, $"{differences.Count} differences: {string.Join("; ", differences.Take(20))}");
    }

    /// <summary>All but ideographs, syllables of Hangul, private ones, and what was not assigned when these tables were made: of each of those some.</summary>
    private static IEnumerable<int> CodePoints() => Enumerable.Range(1, 0x33FF).Concat(Enumerable.Range(0x9FF0, 0xC20)).Concat(Enumerable.Range(0xF8F0, 0x710))
        .Concat(Enumerable.Range(0x10000, 0x1DE0)).Concat(Enumerable.Range(0x1D000, 0x2A00)).Concat([0x4E00, 0xAC00, 0xE000, 0x20000, 0x2A6E0, 0x2B820, 0x2B920, 0xE0001, 0xE0100, 0xFFFFF, 0x10FFFF]);
}
