using LoraServe.Serving.Requests;
using LoraServe.Serving.Scheduling;

namespace LoraServe.Serving.Tests.Scheduling;

public class TokenStreamTests
{
    [Fact]
    public void Write_NobodyReads_AllocatesOnlyBeyondWhatIsReservedAndThenByDoubling()
    {
        const int Tokens = 4 * TokenStream.ReservedTokens;
        WriteAll(new TokenStream(Tokens), Tokens); // what is made once in the life of a process
        var stream = new TokenStream(Tokens);
        List<(int Tokens, long Bytes)> allocations = WriteAll(stream, Tokens);

        // Items take 32 bytes, letters two; four letters are reserved for a token, which has eight here.
        const int Header = 24;
        Assert.Equal(
            [
                (TokenStream.ReservedTokens / 2, (TokenStream.ReservedTokens * 4 * 2 * 2) + Header),
                (TokenStream.ReservedTokens, (TokenStream.ReservedTokens * 2 * 32) + (TokenStream.ReservedTokens * 8 * 2 * 2) + (2 * Header)),
                (2 * TokenStream.ReservedTokens, (TokenStream.ReservedTokens * 4 * 32) + (TokenStream.ReservedTokens * 16 * 2 * 2) + (2 * Header)),
            ],
            allocations);
        for (int i = 0; i < Tokens; i++)
        {
            Assert.True(stream.TryRead(out GeneratedToken token, out _));
            Assert.Equal((i, $"{i,8}"), (token.TokenId, token.Text));
        }

        Assert.False(stream.TryRead(out _, out bool isComplete));
        Assert.False(isComplete);
    }

    [Fact]
    public void Write_TheReaderKeepsUp_NeverAllocates()
    {
        var stream = new TokenStream(tokens: 4);
        for (int i = 0; i < 1000; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            stream.Write(Item(i), "ab");
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.True(stream.TryRead(out GeneratedToken token, out _));
            Assert.Equal("ab", token.Text);
        }
    }

    [Fact]
    public async Task Complete_WithAFailure_IsThrownAfterTheLastToken()
    {
        var stream = new TokenStream(tokens: 1);
        ValueTask arrival = stream.WaitAsync();
        Assert.False(arrival.IsCompleted);
        stream.Write(Item(7), "");
        stream.Complete(new InvalidOperationException("It fails."));
        await arrival;
        Assert.True(stream.TryRead(out GeneratedToken token, out bool isComplete));
        Assert.Equal((7, false), (token.TokenId, isComplete));
        Assert.Throws<InvalidOperationException>(() => stream.TryRead(out _, out _));
    }

    private static List<(int Tokens, long Bytes)> WriteAll(TokenStream stream, int tokens)
    {
        var allocations = new List<(int, long)>(8);
        Span<char> text = stackalloc char[8];
        for (int i = 0; i < tokens; i++)
        {
            Assert.True(text.TryWrite($"{i,8}", out _));
            long before = GC.GetAllocatedBytesForCurrentThread();
            stream.Write(Item(i), text);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > 0)
            {
                allocations.Add((i, allocated));
            }
        }

        return allocations;
    }

    private static TokenStream.Item Item(int token) => new(0, token, 0, null, FinishReason.None);
}
