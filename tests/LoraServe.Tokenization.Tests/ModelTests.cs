using System.Text;
using LoraServe.Tokenization.Files;

namespace LoraServe.Tokenization.Tests;

/// <summary>Unigram, word-piece and word-level models by small files.</summary>
public class ModelTests
{
    private const string Unigram = """{"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["a", -2], ["b", -2], ["ab", -3.5], ["abb", -9], ["</s>", 0], ["𝒳", -1]]}""";
    private const string WordPiece = """{"type": "WordPiece", "unk_token": "[UNK]", "max_input_chars_per_word": 6, "vocab": {"[UNK]": 0, "un": 1, "u": 2, "##aff": 3, "##able": 4, "##n": 5, "[SEP]": 6, "##𝒳": 7}}""";
    private const string WordLevel = """{"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "one": 1, "two": 2, "[SEP]": 3}}""";

    [Theory]
    [InlineData("ab", new[] { 3 })]
    [InlineData("abb", new[] { 3, 2 })]
    [InlineData("a?!b", new[] { 1, 0, 2 })]
    [InlineData("λ𝒳λ", new[] { 0, 6, 0 })]
    [InlineData("", new int[0])]
    public void Unigram_TakesTheBestSumOfScores(string text, int[] expected) => Assert.Equal(expected, Load(Unigram).Encode(text, addSpecialTokens: false));

    [Fact]
    public void Unigram_UnknownRun_IsCalledWhatItStandsFor()
    {
        TokenEncoding encoding = Load(Unigram).EncodeWithOffsets("aλ𝒳?!", addSpecialTokens: false);

        Assert.Equal(["a", "λ", "𝒳", "?!"], encoding.Tokens);
        Assert.Equal([(0, 1), (1, 2), (2, 3), (3, 5)], encoding.Offsets);
    }

    [Theory]
    [InlineData("""["<0xCE>", -5], ["<0xBB>", -5]""", new[] { 1, 2, 3 })]
    [InlineData("""["<0xCE>", -5]""", new[] { 1, 0 })]
    public void Unigram_UnknownRun_BecomesItsBytesIfAllAreThere(string bytes, int[] expected)
    {
        Tokenizer tokenizer = Load($$"""{"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": [["<unk>", 0], ["a", -2], {{bytes}}]}""");

        Assert.Equal(expected, tokenizer.Encode("aλ", addSpecialTokens: false));
    }

    [Fact]
    public void Unigram_WithoutAnUnknownToken_DropsWhatItLacks() =>
        Assert.Equal([0, 0], Load("""{"type": "Unigram", "vocab": [["a", -2]]}""").Encode("a?a", addSpecialTokens: false));

    [Theory]
    [InlineData("un", new[] { 1 })]
    [InlineData("unaff", new[] { 1, 3 })]
    [InlineData("unable", new[] { 1, 4 })]
    [InlineData("unλ", new[] { 0 })]
    [InlineData("un𝒳𝒳𝒳𝒳", new[] { 1, 7, 7, 7, 7 })]
    [InlineData("un𝒳𝒳𝒳𝒳𝒳", new[] { 0 })]
    public void WordPiece_TakesTheLongestFromTheLeft(string text, int[] expected) => Assert.Equal(expected, Load(WordPiece).Encode(text, addSpecialTokens: false));

    [Theory]
    [InlineData("one", new[] { 1 })]
    [InlineData("three", new[] { 0 })]
    public void WordLevel_TakesWholeWords(string text, int[] expected) => Assert.Equal(expected, Load(WordLevel).Encode(text, addSpecialTokens: false));

    [Theory]
    [InlineData(Unigram, "</s>", 5)]
    [InlineData(WordPiece, "[SEP]", 6)]
    [InlineData(WordLevel, "[SEP]", 3)]
    public void ASpecialToken_IsFoundOnlyWhereItIsAskedFor(string model, string token, int id)
    {
        Tokenizer tokenizer = Load(model, $$"""{"id": {{id}}, "content": "{{token}}", "special": true}""");

        Assert.Equal([id], tokenizer.Encode(token, addSpecialTokens: false));
        Assert.DoesNotContain(id, tokenizer.Encode(token, addSpecialTokens: false, parseSpecialTokens: false));
    }

    [Theory]
    [InlineData("""{"vocab": {"a": 0, "<unk>": 1}}""", "a")]
    [InlineData("""{"vocab": {"a": 0, "[UNK]": 1}, "continuing_subword_prefix": "##"}""", "a")]
    [InlineData("""{"vocab": {"a": 0}, "merges": []}""", "a")]
    [InlineData("""{"vocab": [["a", -1]]}""", "a")]
    public void AModelWithoutItsType_IsKnownByItsFields(string model, string text) => Assert.Equal([0], Load(model).Encode(text, addSpecialTokens: false));

    [Theory]
    [InlineData("""{"type": "Unigram", "unk_id": 1, "vocab": [["a", -1]]}""", "model.unk_id: found 1; expected 0 to 0")]
    [InlineData("""{"type": "Unigram", "vocab": [["a", -1, 2]]}""", "model.vocab[0]: found 3 items")]
    [InlineData("""{"type": "Unigram", "vocab": [["a", 1e999]]}""", "model.vocab[0]: expected a number")]
    [InlineData("""{"type": "Unigram", "vocab": {"a": 1}}""", "model.vocab: expected an array")]
    [InlineData("""{"type": "WordPiece", "vocab": {"a": 1}}""", "'[UNK]'")]
    [InlineData("""{"type": "WordPiece", "max_input_chars_per_word": -1, "vocab": {"[UNK]": 1}}""", "model.max_input_chars_per_word: found -1")]
    [InlineData("""{"type": "WordLevel", "unk_token": "?", "vocab": {"a": 1}}""", "'?'")]
    [InlineData("""{"type": "Hangman", "vocab": {"a": 1}}""", "'Hangman'")]
    public void ADamagedModel_IsRefusedByItsField(string model, string named) =>
        Assert.Contains(named, Assert.Throws<TokenizerFormatException>(() => Load(model)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("Unigram", """[["<unk>", 0], ["TOKEN", -1]]""")]
    [InlineData("WordPiece", """{"[UNK]": 0, "TOKEN": 1}""")]
    public void ATokenOfThousandsOfCharacters_IsRefused(string type, string vocabulary) =>
        Assert.Contains(
            "1025 characters",
            Assert.Throws<TokenizerFormatException>(() => Load($$"""{"type": "{{type}}", "vocab": {{vocabulary.Replace("TOKEN", new string('a', 1025), StringComparison.Ordinal)}}}""")).Message,
            StringComparison.Ordinal);

    private static Tokenizer Load(string model, string added = "") =>
        Tokenizer.FromUtf8Json(Encoding.UTF8.GetBytes($$"""{"added_tokens": [{{added}}], "model": {{model}}}"""), "t");
}
