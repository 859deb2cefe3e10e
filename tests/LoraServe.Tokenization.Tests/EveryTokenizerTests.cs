using FsCheck;
using FsCheck.Fluent;

namespace LoraServe.Tokenization.Tests;

/// <summary>What holds for every tokenizer, whatever it is made of.</summary>
public class EveryTokenizerTests
{
    private static readonly string[] s_parts =
    [
        "a", "The", "hello", "World", "don't", " ", "  ", "\n", "\r\n", "\t", "\0", "12", "3.14", "é", "e\u0301", "\u0301", "ﬁ", "İ", "日本", "カ", "한", "𝒳", "👩‍🚀", "\u00A0", "\u200B", "\uFEFF",
        "\uFFFD", "\uD800", "\uDC00", "_", "...", "!?", "'", "▁", "Ġ", "##", "<s>", "</s>", "<unk>", "[CLS]", "[MASK]", "<0x41>", "<0xE2>",
    ];

    public static TheoryData<string> Folders => TokenizerGoldenTests.Folders;

    [SkippableTheory]
    [MemberData(nameof(Folders))]
    public void EncodeWithOffsets_RandomTexts_GivesTheSameIdsAndPlacesInTheText(string name)
    {
        Tokenizer tokenizer = TokenizerGoldenTests.Load(TokenizerGoldenTests.Folder(name));
        Prop.ForAll(Texts(), text =>
        {
            TokenEncoding encoding = tokenizer.EncodeWithOffsets(text, addSpecialTokens: true);
            int length = text.EnumerateRunes().Count();
            return encoding.Offsets.All(place => 0 <= place.Start && place.Start <= place.End && place.End <= length)
                && encoding.Ids.Count == encoding.Tokens.Count && encoding.Ids.Count == encoding.Offsets.Count
                && encoding.Ids.SequenceEqual(tokenizer.Encode(text, addSpecialTokens: true));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));
    }

    [SkippableTheory]
    [MemberData(nameof(Folders))]
    public void Encode_TextThatWasDecoded_ComesBackAsTheSameText(string name)
    {
        // Once through, a text is in the tokenizer's own normal form: nothing is left to be lost.
        Tokenizer tokenizer = TokenizerGoldenTests.Load(TokenizerGoldenTests.Folder(name));
        string Through(string text) => tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: false), skipSpecialTokens: false);
        foreach (string text in (string[])["The quick brown fox jumps over 13 lazy dogs.", "Don't, she said, it's late.", "a b  c\nd"])
        {
            string once = Through(Through(text));
            Assert.Equal(once, Through(once));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Folders))]
    public void Append_TokensOfRandomTexts_GivesWithTheFlushWhatDecodeGives(string name)
    {
        Tokenizer tokenizer = TokenizerGoldenTests.Load(TokenizerGoldenTests.Folder(name));
        Prop.ForAll(Texts(), ArbMap.Default.ArbFor<bool>(), (text, skipsSpecial) =>
        {
            int[] ids = tokenizer.Encode(text, addSpecialTokens: true);
            IncrementalDecoder decoder = tokenizer.CreateDecoder(skipsSpecial);
            return string.Concat(ids.Select(decoder.Append)) + decoder.Flush() == tokenizer.Decode(ids, skipsSpecial);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));
    }

    [SkippableTheory]
    [MemberData(nameof(Folders))]
    public void Encode_SpecialTokensAsPlainText_GivesNone(string name)
    {
        Tokenizer tokenizer = TokenizerGoldenTests.Load(TokenizerGoldenTests.Folder(name));
        int unknown = tokenizer.Encode("\u0378", addSpecialTokens: false).Prepend(-1).Last();
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            if (tokenizer.IsSpecial(id))
            {
                Assert.DoesNotContain(tokenizer.Encode($"x {tokenizer.TokenText(id)}x {tokenizer.TokenText(id)} x", addSpecialTokens: false, parseSpecialTokens: false), found => tokenizer.IsSpecial(found) && found != unknown);
            }
        }
    }

    /// <summary>A megabyte of anything: in linear time, or this would not end, and with memory in proportion.</summary>
    [SkippableTheory]
    [MemberData(nameof(Folders))]
    [Trait("Category", "Long")]
    public void Encode_HostileTexts_TakesMemoryInProportion(string name)
    {
        const int Length = 1 << 20;
        Tokenizer tokenizer = TokenizerGoldenTests.Load(TokenizerGoldenTests.Folder(name));
        foreach (string part in (string[])["a", " ", "\n", "\u0301", "\u0301\u0316", "e\u0301", "\uE000", "a\uE000", "\uE000 ", "▁", "ab", "1", "'", "<", "</s", "\u200D", "日", "👩‍🚀", "\u0958", "ﷺ"])
        {
            long few = Allocated(part, Length / 8);

            Assert.InRange(Allocated(part, Length), 0, (10 * few) + (1 << 16));
        }

        long Allocated(string part, int length)
        {
            string text = string.Concat(Enumerable.Repeat(part, length / part.Length));
            long before = GC.GetAllocatedBytesForCurrentThread();
            tokenizer.Encode(text, addSpecialTokens: false);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static Arbitrary<string> Texts() => Gen.Elements(s_parts).ListOf().Select(parts => string.Concat(parts)).ToArbitrary();
}
