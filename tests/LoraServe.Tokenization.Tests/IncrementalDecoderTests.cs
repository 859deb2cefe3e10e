using LoraServe.Testing;

namespace LoraServe.Tokenization.Tests;

public class IncrementalDecoderTests
{
    public static TheoryData<string> Names => [.. Directory.GetDirectories(Repository.Fixture("tokenizers")).Select(path => Path.GetFileName(path)!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void AppendSpan_SteadyState_AllocatesNothing(string name)
    {
        Tokenizer tokenizer = Tokenizer.FromFile(Repository.Fixture($"tokenizers/{name}/tokenizer.json"));
        int[] ids = [.. tokenizer.Encode("The quick 狐 jumps — 👩‍🚀 naïve\n\n  over 123 lazy dogs. ", addSpecialTokens: false), .. Enumerable.Range(0, tokenizer.VocabularySize)];
        IncrementalDecoder decoder = tokenizer.CreateDecoder(skipSpecialTokens: true);
        long allocated = 0;
        for (int round = 0; round < 3; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            foreach (int id in ids)
            {
                decoder.AppendSpan(id);
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }
}
