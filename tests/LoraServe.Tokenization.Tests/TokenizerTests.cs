using FsCheck;
using FsCheck.Fluent;
using LoraServe.Testing;

namespace LoraServe.Tokenization.Tests;

public class TokenizerTests
{
    private static readonly Tokenizer s_byteLevel = Load("gpt2-style");
    private static readonly Tokenizer s_sentencePiece = Load("llama-sp-nolegacy");

    public static TheoryData<string> Names => ["gpt2-style", "llama3-style", "deepseek-style"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Decode_EncodedByteLevelText_IsTheText(string name)
    {
        Tokenizer tokenizer = Load(name);
        Prop.ForAll(Texts(), text =>
            tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false), skipSpecialTokens: false) == text).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Append_AnyIds_GivesWithTheFlushWhatDecodeGives()
    {
        Arbitrary<int[]> ids = ArbMap.Default.GeneratorFor<int[]>().ToArbitrary();
        Prop.ForAll(ids, values =>
        {
            int[] known = [.. values.Select(id => (int)((uint)id % (uint)s_byteLevel.VocabularySize))];
            IncrementalDecoder decoder = s_byteLevel.CreateDecoder(skipSpecialTokens: false);
            return string.Concat(known.Select(decoder.Append)) + decoder.Flush() == s_byteLevel.Decode(known, skipSpecialTokens: false);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void EncodeWithOffsets_AnyText_GivesOrderedOffsetsInRangeAndTheSameIds()
    {
        foreach (Tokenizer tokenizer in (Tokenizer[])[s_byteLevel, s_sentencePiece])
        {
            Prop.ForAll(Texts(), text =>
            {
                TokenEncoding encoding = tokenizer.EncodeWithOffsets(text, addSpecialTokens: false);
                int length = text.EnumerateRunes().Count();
                bool inRange = encoding.Offsets.All(o => 0 <= o.Start && o.Start <= o.End && o.End <= length);
                bool inOrder = encoding.Offsets.Zip(encoding.Offsets.Skip(1)).All(pair => pair.First.Start <= pair.Second.Start);
                return inRange && inOrder && encoding.Ids.SequenceEqual(tokenizer.Encode(text, addSpecialTokens: false));
            }).QuickCheckThrowOnFailure();
        }
    }

    [Fact]
    public void Encode_SpecialTokenWrittenInText_IsParsedOnlyWhenAsked()
    {
        int end = s_byteLevel.TryGetId("<|endoftext|>")!.Value;
        Assert.True(s_byteLevel.IsSpecial(end));
        Assert.Equal([end], s_byteLevel.Encode("<|endoftext|>", addSpecialTokens: false));
        int[] plain = s_byteLevel.Encode("<|endoftext|>", addSpecialTokens: false, parseSpecialTokens: false);
        Assert.DoesNotContain(end, plain);
        Assert.Equal("<|endoftext|>", s_byteLevel.Decode(plain, skipSpecialTokens: true));
    }

    [Fact]
    public void Encode_LoneSurrogates_CountAsReplacementCharacters() =>
        Assert.Equal(s_byteLevel.Encode("a\uFFFDb", addSpecialTokens: false), s_byteLevel.Encode("a\uD800b", addSpecialTokens: false));

    [Fact]
    public void Encode_VeryLongWords_EndsAndRoundTrips()
    {
        foreach (string text in (string[])[new('a', 300_000), new(' ', 300_000), string.Concat(Enumerable.Repeat("ab", 150_000))])
        {
            Assert.Equal(text, s_byteLevel.Decode(s_byteLevel.Encode(text, addSpecialTokens: false), skipSpecialTokens: false));
            Assert.Equal(text, s_sentencePiece.Decode(s_sentencePiece.Encode("x" + text, addSpecialTokens: false), skipSpecialTokens: false)[1..]);
        }
    }

    [Fact]
    public async Task Encode_FromManyThreads_GivesTheSameIds()
    {
        string[] texts = [.. Enumerable.Range(0, 200).Select(i => $"The {i} quick brown foxes, number {i * 7919}")];
        int[][] expected = [.. texts.Select(text => s_byteLevel.Encode(text, addSpecialTokens: false))];
        int[][][] found = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ =>
            Task.Run(() => texts.Select(text => s_byteLevel.Encode(text, addSpecialTokens: false)).ToArray())));
        Assert.All(found, ids => Assert.Equal(expected, ids));
    }

    [Fact]
    public void Decode_UnknownIds_AddNothing() =>
        Assert.Equal("", s_byteLevel.Decode([-1, int.MaxValue, s_byteLevel.VocabularySize], skipSpecialTokens: false));

    /// <summary>Also one word of a million letters costs memory in proportion to its length, and little of it.</summary>
    [Theory]
    [InlineData("gpt2-style")]
    [InlineData("llama-sp-nolegacy")]
    public void Encode_OneLongWord_AllocatesInProportion(string name)
    {
        const int Letters = 1_000_000;
        Tokenizer tokenizer = Load(name);
        var random = new Random(1);
        string word = string.Create(Letters, random, (letters, source) =>
        {
            for (int i = 0; i < letters.Length; i++)
            {
                letters[i] = (char)('a' + source.Next(26));
            }
        });
        long before = GC.GetAllocatedBytesForCurrentThread();

        int[] ids = tokenizer.Encode(word, addSpecialTokens: false);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64L * Letters);
        Assert.InRange(ids.Length, 1, Letters + 1);
    }

    private static Arbitrary<string> Texts()
    {
        string[] parts = ["a", "The", " ", "  ", "\n", "'s", "12", "é", "e\u0301", "日本", "한", "𝒳", "👩‍🚀", "\u00A0", "_", "...", "\t", "ß", "\u200D", "١"];
        Gen<string> known = Gen.Elements(parts).ListOf().Select(list => string.Concat(list));
        return Gen.OneOf(known, ArbMap.Default.GeneratorFor<string>().Where(text => text is not null && IsWellFormed(text))).ToArbitrary();
    }

    private static bool IsWellFormed(string text) => !text.Any(char.IsSurrogate);

    private static Tokenizer Load(string name) => Tokenizer.FromFile(Repository.Fixture($"tokenizers/{name}/tokenizer.json"));
}
