using System.Text;
using LoraServe.EmbeddedBase;
using LoraServe.Tokenization;

namespace LoraServe.Cli.Tests.Verbs.Demo;

public sealed class BytePairTrainerTests : IDisposable
{
    private const int Bytes = 256;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("loraserve-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Train_OnFewWords_MergesTheMostFrequentPairsFirst()
    {
        // "ab" occurs 5 times, "bc" 3 times, and " a" 3 times ahead of it.
        (IReadOnlyList<byte[]> tokens, IReadOnlyList<(int Left, int Right)> merges) = BytePairTrainer.Train(["abc abc", "abc ab ab"], Bytes + 3);

        Assert.Equal(['a', 'b'], [(char)merges[0].Left, (char)merges[0].Right]);
        Assert.Equal(["ab", " ab", "abc"], tokens.Skip(Bytes).Select(token => Encoding.UTF8.GetString(token)));
    }

    [Fact]
    public void Train_OnTextWithoutRepeats_StopsAtBytes() =>
        Assert.Equal(Bytes, BytePairTrainer.Train(["abc"], 300).Tokens.Count);

    [Fact]
    public void Train_OnOverlappingPairs_CountsOn()
    {
        (IReadOnlyList<byte[]> tokens, _) = BytePairTrainer.Train(["aaaaaaa aaaa"], Bytes + 2);

        Assert.Equal(["aa", "aaaa"], tokens.Skip(Bytes).Select(token => Encoding.UTF8.GetString(token)));
    }

    [Fact]
    public void Train_WithTheTextInAnotherOrder_GivesTheSameVocabulary()
    {
        string[] texts = ["the cat sat on the mat", "the dog sat", "a cat and a dog"];

        Assert.Equal(BytePairTrainer.Train(texts, 280).Merges, BytePairTrainer.Train(texts.Reverse(), 280).Merges);
    }

    [Theory]
    [InlineData("the café near the river")]
    [InlineData("  two spaces\nand a line, £20-25 \u0000\u00ad日本")]
    public void Files_ReadByTheTokenizer_GiveEveryTextBack(string text)
    {
        (IReadOnlyList<byte[]> tokens, IReadOnlyList<(int, int)> merges) = BytePairTrainer.Train(["the café is near the river", "the river is near"], 290);
        TokenizerFiles.Write(_folder.FullName, tokens, merges);

        var tokenizer = Tokenizer.FromFile(Path.Combine(_folder.FullName, "tokenizer.json"));
        int[] ids = tokenizer.Encode(text, addSpecialTokens: true);

        Assert.Equal(0, ids[0]);
        Assert.Equal(text, tokenizer.Decode(ids, skipSpecialTokens: true));
        Assert.Equal([0, 1], [tokenizer.SpecialIds.Bos!.Value, tokenizer.SpecialIds.Eos!.Value]);
    }

    [Fact]
    public void Files_ReadByTheTokenizer_UseTheMerges()
    {
        (IReadOnlyList<byte[]> tokens, IReadOnlyList<(int, int)> merges) = BytePairTrainer.Train(["river river river"], 290);
        TokenizerFiles.Write(_folder.FullName, tokens, merges);

        Assert.Equal(2, Tokenizer.FromFile(Path.Combine(_folder.FullName, "tokenizer.json")).Encode("river river", addSpecialTokens: false).Length);
    }
}
