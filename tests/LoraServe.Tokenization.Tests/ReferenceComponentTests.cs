using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using LoraServe.Testing;
using Reference = Tokenizers.DotNet.Tokenizer;

namespace LoraServe.Tokenization.Tests;

/// <summary>Every component that a tokenizer.json can name, one by one, on random texts: the library's ids, and its text of any ids.</summary>
public sealed class ReferenceComponentTests : IDisposable
{
    private const string Words = "{'type':'WhitespaceSplit'}";
    private const string Marks = "{'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split':true}";
    private const string Pieces = "{'type':'WordPiece','prefix':'##','cleanup':true}";

    private static readonly string[] s_characters =
    [
        "a", "A", "b", "e", "i", "o", "n", "t", "s", "h", "l", "d", "f", "1", "2", "é", "e\u0301", "Å", "ﬁ", "Ω", "ω", "İ", "ж", "日", "本", "か", "カ", "ー", "한", "\u0E31", "\u0947",
        "𝒳", "😀", "\u00A0", "\u200B", "\u3000", "\uFEFF", "\uFFFD", "\u00AD", "\u0085", "\t", "\n", "\r\n", "\x01", "\x7F", " ", "  ", ".", ",", "!", "'", "-", "$", "^", "«", "、", "|", "▁", "½",
        "①", " n't", " do not", "<pad>", "[UNK]", "<unk>", "##",
    ];

    private readonly TemporaryDirectory _folder = new();

    public static TheoryData<string, string, string, string> Pipelines => new()
    {
        { "{'type':'BertNormalizer','clean_text':true,'handle_chinese_chars':true,'strip_accents':null,'lowercase':true}", "{'type':'BertPreTokenizer'}", "WordPiece", Pieces },
        { "{'type':'BertNormalizer','clean_text':true,'handle_chinese_chars':false,'strip_accents':false,'lowercase':true}", "{'type':'BertPreTokenizer'}", "WordPiece", Pieces },
        { "{'type':'BertNormalizer','clean_text':false,'handle_chinese_chars':true,'strip_accents':true,'lowercase':false}", Words, "WordPiece", "{'type':'WordPiece','prefix':'##','cleanup':false}" },
        { "{'type':'Lowercase'}", "{'type':'Whitespace'}", "WordPiece", "{'type':'Sequence','decoders':[{'type':'Fuse'},{'type':'WordPiece','prefix':'##','cleanup':true}]}" },
        { "null", "{'type':'Punctuation','behavior':'MergedWithNext'}", "WordLevel", "null" },
        { "null", "{'type':'Punctuation','behavior':'Removed'}", "WordLevel", "{'type':'CTC','pad_token':'<pad>','word_delimiter_token':'|','cleanup':true}" },
        { "null", "{'type':'CharDelimiterSplit','delimiter':'|'}", "WordLevel", "{'type':'CTC','pad_token':'a','word_delimiter_token':'|','cleanup':false}" },
        { "null", "{'type':'FixedLength','length':2}", "WordLevel", "{'type':'BPEDecoder','suffix':'b'}" },
        { "null", "{'type':'FixedLength','length':1}", "WordLevel", "{'type':'Strip','content':'a','start':1,'stop':0}" },
        { "null", "{'type':'UnicodeScripts'}", "Unigram", "{'type':'Fuse'}" },
        { "null", "{'type':'Digits','individual_digits':false}", "Unigram", "{'type':'Replace','pattern':{'String':'a'},'content':'--'}" },
        { "{'type':'Nmt'}", Words, "Unigram", "null" },
        { "{'type':'Sequence','normalizers':[{'type':'NFD'},{'type':'StripAccents'}]}", Words, "Unigram", "{'type':'Metaspace','replacement':'▁','prepend_scheme':'never','split':true}" },
        { "{'type':'Precompiled','precompiled_charsmap':'MAP'}", Marks, "Unigram", Marks },
        { "{'type':'Sequence','normalizers':[{'type':'Precompiled','precompiled_charsmap':'MAP'},{'type':'Strip','strip_left':false,'strip_right':true},{'type':'Replace','pattern':{'Regex':' {2,}'},'content':'▁'}]}", Marks, "Unigram", Marks },
        { "{'type':'NFKC'}", "{'type':'Metaspace','replacement':'▁','prepend_scheme':'first','split':false}", "UnigramBytes", "{'type':'Sequence','decoders':[{'type':'ByteFallback'},{'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split':true}]}" },
        { "{'type':'NFKD'}", "null", "UnigramBytes", "{'type':'Sequence','decoders':[{'type':'ByteFallback'},{'type':'Fuse'},{'type':'Replace','pattern':{'Regex':'a+'},'content':''}]}" },
        { "{'type':'ByteLevel'}", "null", "Unigram", "{'type':'ByteLevel','add_prefix_space':true,'trim_offsets':true,'use_regex':true}" },
        { "{'type':'Prepend','prepend':'▁'}", "{'type':'Sequence','pretokenizers':[{'type':'Whitespace'},{'type':'ByteLevel','add_prefix_space':true,'trim_offsets':true,'use_regex':true}]}", "WordPiece", Pieces },
        { "{'type':'NFC'}", "{'type':'Split','pattern':{'String':'a'},'behavior':'MergedWithPrevious','invert':false}", "WordLevel", "null" },
    };

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [MemberData(nameof(Pipelines))]
    public void EncodeAndDecode_RandomTexts_GiveWhatTheLibraryGives(string normalizer, string preTokenizer, string model, string decoder)
    {
        string path = _folder.File("tokenizer.json");
        File.WriteAllText(path, $$"""
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "post_processor": null,
             "normalizer": {{Json(normalizer)}}, "pre_tokenizer": {{Json(preTokenizer)}}, "decoder": {{Json(decoder)}}, "model": {{Model(model)}} }
            """);
        Tokenizer tokenizer = Tokenizer.FromFile(path);
        using Reference reference = ReferenceLibraryTests.Open(path);
        Gen<string> texts = Gen.Elements(s_characters).ListOf().Select(parts => string.Concat(parts));

        Prop.ForAll(texts.ToArbitrary(), text =>
        {
            uint[] expected = reference.Encode(text);
            int[] ids = tokenizer.Encode(text, addSpecialTokens: true);
            string decoded = ids.Length == 0 ? "" : reference.Decode(expected);
            return (ids.Select(id => (uint)id).SequenceEqual(expected) && decoded == tokenizer.Decode(ids, skipSpecialTokens: true))
                .Label($"{JsonSerializer.Serialize(text)}: expected {string.Join(' ', expected)} = '{decoded}', actual {string.Join(' ', ids)} = '{tokenizer.Decode(ids, skipSpecialTokens: true)}'");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(400));
    }

    private static string Json(string text) => text.Replace('\'', '"').Replace("MAP", Convert.ToBase64String(CharacterMaps.Sample), StringComparison.Ordinal);

    /// <summary>A model with a part of the characters, and some words of them, so that there are unknown ones and more than one way to cut.</summary>
    private static string Model(string kind)
    {
        Random random = new(5);
        string[] known = [.. "aAbeiontshldf12éωжか日한.,!'$^|▁½ÃĠ©".Select(c => c.ToString()), "𝒳", "n't", "do", "not"];
        string[] words = [.. Enumerable.Range(0, 120).Select(_ => string.Concat(Enumerable.Range(0, random.Next(2, 5)).Select(_ => known[random.Next(known.Length)])))];
        string[] tokens = [.. known.Concat(words).Distinct()];
        IEnumerable<string> bytes = kind == "UnigramBytes" ? Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>") : [];
        return kind switch
        {
            "WordPiece" => JsonSerializer.Serialize(new
            {
                type = kind,
                unk_token = "[UNK]",
                continuing_subword_prefix = "##",
                max_input_chars_per_word = 12,
                vocab = Ids(["[UNK]", .. tokens.Concat(tokens.Select(token => "##" + token))]),
            }),
            "WordLevel" => JsonSerializer.Serialize(new { type = kind, unk_token = "<unk>", vocab = Ids(["<unk>", "<pad>", .. tokens]) }),
            _ => JsonSerializer.Serialize(new
            {
                type = "Unigram",
                unk_id = 0,
                byte_fallback = kind == "UnigramBytes",
                vocab = tokens.Select(token => new object[] { token, -1 - (9 * random.NextDouble()) }).Prepend(["<unk>", 0.0]).Concat(bytes.Select(token => new object[] { token, -20.0 })),
            }),
        };
    }

    private static Dictionary<string, int> Ids(string[] tokens) => tokens.Distinct().Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id);
}
