using System.IO.Compression;
using System.IO.Pipelines;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Grpc.Core;
using LoraServe.Grpc.Wire;

namespace LoraServe.Grpc.Tests.Wire;

public sealed class WireTests
{
    private static readonly Marshaller<EchoRequest> s_marshaller = Marshallers.Create(message => message.ToByteArray(), EchoRequest.Parser.ParseFrom);

    [Fact]
    public void PercentEncoding_AnyText_RoundTripsInPrintableAscii() =>
        Prop.ForAll<string?>(text =>
        {
            // Half a surrogate pair is no text, and UTF-8 has no place for it.
            string whole = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text ?? ""));
            string encoded = PercentEncoding.Encode(whole);
            return encoded.All(c => c is >= ' ' and <= '~') && PercentEncoding.Decode(encoded) == whole;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("%", "%")]
    [InlineData("100%!", "100%!")]
    [InlineData("%4", "%4")]
    [InlineData("a%zzb", "a%zzb")]
    [InlineData("%e2%9C%93", "✓")]
    public void PercentDecoding_Malformed_StaysAsItIs(string encoded, string expected) => Assert.Equal(expected, PercentEncoding.Decode(encoded));

    [Fact]
    public void Timeout_AnySpan_RoundTripsUpToItsUnit() =>
        Prop.ForAll<long>(number =>
        {
            TimeSpan span = TimeSpan.FromMicroseconds(Math.Abs(number % 300_000_000_000_000));
            string text = GrpcTimeout.Format(span);
            return text.Length <= 9 && GrpcTimeout.TryParse(text, out TimeSpan parsed) && parsed >= span && parsed <= (span * 1.001) + TimeSpan.FromHours(span.Days > 3 ? 1 : 0);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("1H", 3600)]
    [InlineData("2M", 120)]
    [InlineData("3S", 3)]
    [InlineData("4000m", 4)]
    [InlineData("5000000u", 5)]
    [InlineData("99999999n", 0.0999999)]
    public void Timeout_EveryUnit_Parses(string text, double seconds)
    {
        Assert.True(GrpcTimeout.TryParse(text, out TimeSpan timeout));
        Assert.Equal(seconds, timeout.TotalSeconds, 6);
    }

    [Fact]
    public void MessageReader_AnyBytesInAnyChunks_GivesMessagesOrAStatus() =>
        Prop.ForAll<byte[], byte>((bytes, chunk) => ReadAll([0, 0, 0, .. bytes], 1 + (chunk % 7)) is not null).QuickCheckThrowOnFailure();

    [Fact]
    public void MessageReader_FramesInAnyChunks_GivesTheMessagesBack() =>
        Prop.ForAll<string?[], byte>((texts, chunk) =>
        {
            using var buffer = new MessageBuffer(null);
            List<byte> body = [];
            List<EchoRequest> messages = [.. texts.Select(text => new EchoRequest { Data = ByteString.CopyFromUtf8(text ?? "") })];
            foreach (EchoRequest message in messages)
            {
                body.AddRange(buffer.Frame(message, s_marshaller, messages.Count % 2 == 0 ? CompressionLevel.Fastest : null).Span);
            }

            return ReadAll([.. body], 1 + chunk).SequenceEqual(messages);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void MessageReader_LyingLength_ReservesNothing()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Empty(ReadAll([0, 0, 63, 255, 255, 1], 100));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    private static List<EchoRequest> ReadAll(byte[] body, int chunk)
    {
        List<EchoRequest> messages = [];
        var reader = new MessageReader<EchoRequest>(
            PipeReader.Create(new ChunkedStream(body, chunk)), s_marshaller, 4_194_304, GrpcProtocol.GzipEncoding);
        try
        {
            while (reader.ReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult() is { } message)
            {
                messages.Add(message);
            }
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.Internal or StatusCode.ResourceExhausted)
        {
        }

        return messages;
    }

    /// <summary>Gives its bytes a few at a time.</summary>
    private sealed class ChunkedStream(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            new(Read(buffer.Span[..Math.Min(chunk, buffer.Length)]));
    }
}
