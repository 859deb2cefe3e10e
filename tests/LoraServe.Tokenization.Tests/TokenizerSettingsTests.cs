using LoraServe.Testing;
using LoraServe.Tokenization.Files;

namespace LoraServe.Tokenization.Tests;

/// <summary>What the files beside a tokenizer.json change.</summary>
public sealed class TokenizerSettingsTests : IDisposable
{
    private const string Frame = """{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<b>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], "special_tokens": {"<b>": {"id": "<b>", "ids": [2], "tokens": ["<b>"]}}}""";

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("null", "{}", new[] { 0 })]
    [InlineData("null", """{"add_bos_token": true}""", new[] { 2, 0 })]
    [InlineData("null", """{"add_eos_token": true}""", new[] { 0, 3 })]
    [InlineData("null", """{"add_bos_token": true, "add_eos_token": true}""", new[] { 2, 0, 3 })]
    [InlineData(Frame, "{}", new[] { 2, 0 })]
    [InlineData(Frame, """{"add_bos_token": null}""", new[] { 2, 0 })]
    [InlineData(Frame, """{"add_bos_token": false}""", new[] { 0 })]
    [InlineData(Frame, """{"add_eos_token": true}""", new[] { 0, 3 })]
    [InlineData(Frame, """{"add_bos_token": true}""", new[] { 2, 0 })]
    public void AddBosAndEosToken_StandInThePlaceOfThePostProcessor(string postProcessor, string settings, int[] expected)
    {
        Tokenizer tokenizer = Read(postProcessor, $$"""{"bos_token": "<b>", "eos_token": {"content": "<e>"}, {{settings.Trim('{')}}""".Replace(", }", "}", StringComparison.Ordinal));

        Assert.Equal(expected, tokenizer.Encode("x", addSpecialTokens: true));
        Assert.Equal([0], tokenizer.Encode("x", addSpecialTokens: false));
    }

    [Fact]
    public void AddBosToken_WithoutABeginToken_AddsNothing() => Assert.Equal([0], Read("null", """{"add_bos_token": true}""").Encode("x", addSpecialTokens: true));

    [Fact]
    public void AddedTokensDecoder_AddsTokensAndDecidesWhatTheyAre()
    {
        Tokenizer tokenizer = Read("null", """{"added_tokens_decoder": {"7": {"content": "<new>", "special": true}, "3": {"content": "<e>", "special": false}}}""");

        Assert.Equal([7, 0], tokenizer.Encode("<new>x", addSpecialTokens: false));
        Assert.Equal((true, false, 8), (tokenizer.IsSpecial(7), tokenizer.IsSpecial(3), tokenizer.VocabularySize));
        Assert.Equal("x", tokenizer.Decode([7, 0], skipSpecialTokens: true));
    }

    [Fact]
    public void AddedTokens_OfOlderFiles_AreAdded()
    {
        File.WriteAllText(_folder.File("added_tokens.json"), """{"<old>": 5}""");

        Assert.Equal([5], Read("null", """{"additional_special_tokens": ["<old>"]}""").Encode("<old>", addSpecialTokens: false));
    }

    [Theory]
    [InlineData("""{"eos_token": "<b>"}""", """{"eos_token": {"content": "<e>"}}""", 3)]
    [InlineData("""{"eos_token": "<b>", "added_tokens_decoder": {}}""", """{"eos_token": "<e>"}""", 2)]
    [InlineData("""{"added_tokens_decoder": {}}""", """{"eos_token": "<e>"}""", 3)]
    [InlineData("""{"eos_token": "<none such>"}""", """{}""", null)]
    public void SpecialTokensMap_CountsAsInTransformers(string config, string map, int? expected)
    {
        File.WriteAllText(_folder.File("special_tokens_map.json"), map);

        Assert.Equal(expected, Read("null", config).SpecialIds.Eos);
    }

    [Fact]
    public void ATokenWithAPart_IsSpecialWhereTheVocabularyHasIt()
    {
        Tokenizer tokenizer = Read("null", """{"unk_token": "y"}""");

        Assert.True(tokenizer.IsSpecial(1));
        Assert.Equal("x", tokenizer.Decode([0, 1], skipSpecialTokens: true));
    }

    [Theory]
    [InlineData("""{"added_tokens_decoder": {"x": {"content": "<n>"}}}""", "'x' is no token id")]
    [InlineData("""{"added_tokens_decoder": {"2000000": {"content": "<n>"}}}""", "adds '<n>' as 2000000")]
    [InlineData("""{"add_bos_token": 1}""", "tokenizer_config.json.add_bos_token")]
    [InlineData("""{"bos_token": 1}""", "tokenizer_config.json.bos_token")]
    [InlineData("""{""", "tokenizer_config.json beside it is not valid JSON")]
    public void DamagedSettings_AreRefusedByName(string config, string named) =>
        Assert.Contains(named, Assert.Throws<TokenizerFormatException>(() => Read("null", config)).Message, StringComparison.Ordinal);

    private Tokenizer Read(string postProcessor, string config)
    {
        File.WriteAllText(_folder.File("tokenizer.json"), $$$"""
            {"added_tokens": [{"id": 2, "content": "<b>", "special": true}, {"id": 3, "content": "<e>", "special": true}],
             "post_processor": {{{postProcessor}}}, "model": {"type": "BPE", "vocab": {"x": 0, "y": 1}, "merges": []}}
            """);
        File.WriteAllText(_folder.File("tokenizer_config.json"), config);
        return Tokenizer.FromFile(_folder.File("tokenizer.json"));
    }
}
