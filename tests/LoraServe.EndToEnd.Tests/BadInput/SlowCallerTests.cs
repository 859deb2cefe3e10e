using System.Net;
using Grpc.Core;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.BadInput;

/// <summary>Callers that begin and do not go on.</summary>
public class SlowCallerTests
{
    [Fact]
    public async Task Upload_SenderFallsSilent_IsEndedAndLeavesNothing()
    {
        await using TestServer server = await TestServer.StartTinyAsync(server: options => options.MaxUploadPause = TimeSpan.FromMilliseconds(200));
        using AsyncClientStreamingCall<UploadAdapterRequest, LoadAdapterResponse> upload = server.Client.Adapters.Upload();
        await upload.RequestStream.WriteAsync(new UploadAdapterRequest { Header = new UploadHeader { Name = "half" } });
        await Refused.WithAsync(StatusCode.Aborted, async () => await upload, "Nothing");
        string uploads = Path.Combine(server.StoreFolder, "uploads");
        await Eventually.TrueAsync(() => !Directory.Exists(uploads) || Directory.GetDirectories(uploads).Length == 0, () => "the upload is not deleted");
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task Requests_ThreeHundredHalfOpen_AreEndedAndDisturbNobody()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        Bystanders bystanders = await Bystanders.AskQuietlyAsync(server);
        using var handler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true };
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        await bystanders.UndisturbedByAsync(() => Task.WhenAll(Enumerable.Range(0, 300).Select(async _ =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Host.Address, "loraserve.v1.Inference/Tokenize"))
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new UnfinishedContent(),
            };
            request.Content.Headers.ContentType = new("application/grpc");

            // A reset or a refusal: either way the server has let go of it.
            Exception? reset = await Record.ExceptionAsync(async () => (await client.SendAsync(request)).Dispose());
            Assert.True(reset is null or HttpRequestException, $"{reset}");
        })));
    }

    /// <summary>The beginning of a message.</summary>
    private sealed class UnfinishedContent : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[] { 0, 0, 0 });
            await stream.FlushAsync();
            await Task.Delay(Timeout.Infinite);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
