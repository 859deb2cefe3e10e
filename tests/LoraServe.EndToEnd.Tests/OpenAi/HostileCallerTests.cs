using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.Serving.Requests;

namespace LoraServe.EndToEnd.Tests.OpenAi;

/// <summary>Callers that send too much, too slowly or too little, and those that do not read; others get what they always get.</summary>
public class HostileCallerTests
{
    private const string Completions = "/v1/completions";

    [Fact]
    public async Task Answer_BodyAboveTheLimit_IsRefusedWithTheLimit()
    {
        await using TestServer server = await TestServer.StartTinyAsync(server: options => options.MaxReceiveMessageBytes = 10_000);
        using var rest = new RestClient(server);
        string json = new JsonObject { ["model"] = "model", ["prompt"] = new string('a', 20_000) }.ToJsonString();
        RestAnswer answer = await rest.PostAsync(Completions, json);
        Assert.Equal(413, answer.Status);
        Assert.Contains("10000 bytes", answer.Message, StringComparison.Ordinal);

        // Without a length nobody knows before it is read.
        string chunked = $"POST {Completions} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{json.Length:x}\r\n{json}\r\n0\r\n\r\n";
        Assert.StartsWith("HTTP/1.1 413", await RawAsync(server, chunked), StringComparison.Ordinal);
        Assert.Equal(200, (await rest.PostAsync(Completions, """{"model": "model", "prompt": "a", "max_tokens": 1}""")).Status);
    }

    [Fact]
    public async Task Answer_IdThatNoHeaderCanHold_IsRefused()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        const string Json = """{"model": "model", "prompt": "a"}""";
        string head = $"POST {Completions} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nX-Request-Id: é\r\nContent-Length: {Json.Length}";
        string answer = await RawAsync(server, $"{head}\r\n\r\n{Json}");
        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Contains("printable ASCII", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readers_ThatGoAway_EndTheirAnswersAndDisturbNobody()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        await server.LoadAsync(("red", 1), ("blue", 2));
        Bystanders bystanders = await Bystanders.AskQuietlyAsync(server, "red");
        await bystanders.UndisturbedByAsync(async () =>
        {
            foreach (bool isStreamed in new[] { true, false, true, false })
            {
                await GoAwayAsync(server, isStreamed);
            }
        });
        await server.IdleAsync();
        await Eventually.TrueAsync(() => server.Engine.Adapters.Get(Principal.Operator, "blue").InUse == 0, () => "the adapter is still leased");
        await Eventually.TrueAsync(() => server.Log.Lines.Count(line => line.Contains("POST /v1/completions: 499", StringComparison.Ordinal)) == 4, () => string.Join('\n', server.Log.Lines));
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task Senders_ThatBeginAndDoNotGoOn_AreEndedAndDisturbNobody()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        Bystanders bystanders = await Bystanders.AskQuietlyAsync(server);
        string begun = $"POST {Completions} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{{\"model\":";
        await bystanders.UndisturbedByAsync(() => Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
            Assert.StartsWith("HTTP/1.1 408", await RawAsync(server, begun), StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Reader_ThatReadsNothing_IsCutOff()
    {
        await using TestServer server = await TestServer.StartTinyAsync(server: options => options.MaxUploadPause = TimeSpan.FromMilliseconds(300));
        await server.LoadAsync(("red", 1));
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 1024 };
        await socket.ConnectAsync("localhost", server.Host.HttpAddress.Port);

        // Log-probabilities make an answer of megabytes, which no buffer holds.
        await socket.SendAsync(Request("""{"model": "red", "prompt": "a", "max_tokens": 450, "n": 16, "logprobs": 100, "ignore_eos": true, "stream": true}"""));
        await Eventually.TrueAsync(() => server.Log.Lines.Any(line => line.Contains("POST /v1/completions: 499", StringComparison.Ordinal)), () => "the reader is still waited for");
        await server.IdleAsync();
    }

    // Reads the first bytes of a long answer, if they come before its end, and closes the connection.
    private static async Task GoAwayAsync(TestServer server, bool isStreamed)
    {
        await Eventually.TrueAsync(() => server.Engine.Adapters.Get(Principal.Operator, "blue").InUse == 0, () => "the last request still runs");
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
        await socket.ConnectAsync("localhost", server.Host.HttpAddress.Port);
        string request = $$"""{"model": "blue", "prompt": ["a", "b"], "max_tokens": 480, "n": 4, "ignore_eos": true, "stream": {{(isStreamed ? "true" : "false")}}}""";
        await socket.SendAsync(Request(request));
        if (isStreamed)
        {
            Assert.NotEqual(0, await socket.ReceiveAsync(new byte[100]));
        }
        else
        {
            await Eventually.TrueAsync(() => server.Engine.Adapters.Get(Principal.Operator, "blue").InUse > 0, () => "the request is not taken");
        }
    }

    private static byte[] Request(string json) =>
        Encoding.UTF8.GetBytes($"POST {Completions} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}");

    private static async Task<string> RawAsync(TestServer server, string request)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("localhost", server.Host.HttpAddress.Port);
        await socket.SendAsync(Encoding.UTF8.GetBytes(request));
        byte[] answer = new byte[4096];
        int read = await socket.ReceiveAsync(answer);
        return Encoding.UTF8.GetString(answer, 0, read);
    }
}
