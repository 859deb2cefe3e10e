using LoraServe.Tokenization.Normalizers;

namespace LoraServe.Tokenization.Tests.Normalizers;

public class UnicodeNormalizerTests
{
    [Theory]
    [InlineData("plain", "plain", "plain", "plain", "plain")]
    [InlineData("é", "é", "e\u0301", "é", "e\u0301")]
    [InlineData("e\u0301", "é", "e\u0301", "é", "e\u0301")]
    [InlineData("ﬁ", "ﬁ", "ﬁ", "fi", "fi")]
    [InlineData("한국", "한국", "\u1112\u1161\u11AB\u1100\u116E\u11A8", "한국", "\u1112\u1161\u11AB\u1100\u116E\u11A8")]
    [InlineData("a\u0315\u0300\u05AE\u0062", "à\u05AE\u0315b", "a\u05AE\u0300\u0315b", "à\u05AE\u0315b", "a\u05AE\u0300\u0315b")]
    [InlineData("\u0958", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C")]
    [InlineData("Å", "Å", "A\u030A", "Å", "A\u030A")]
    [InlineData("①½ｱ", "①½ｱ", "①½ｱ", "11\u20442ア", "11\u20442ア")]
    public void Normalize_EachForm_FollowsTheStandard(string text, string nfc, string nfd, string nfkc, string nfkd)
    {
        Assert.Equal(nfc, new UnicodeNormalizer(compatibility: false, compose: true).Normalize(text));
        Assert.Equal(nfd, new UnicodeNormalizer(compatibility: false, compose: false).Normalize(text));
        Assert.Equal(nfkc, new UnicodeNormalizer(compatibility: true, compose: true).Normalize(text));
        Assert.Equal(nfkd, new UnicodeNormalizer(compatibility: true, compose: false).Normalize(text));
    }
}
