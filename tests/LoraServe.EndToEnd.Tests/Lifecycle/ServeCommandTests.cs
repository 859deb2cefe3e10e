using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Grpc.Core;
using LoraServe.Client;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Lifecycle;

/// <summary><c>loraserve serve</c> as its user sees it: signals, exit codes and what it prints.</summary>
public partial class ServeCommandTests
{
    [Fact]
    public async Task Signal_WhileARequestRuns_EndsAfterItsAnswer()
    {
        using var folder = new TemporaryFolder();
        using CommandProcess server = CommandProcess.Serve(folder);
        Uri address = await server.AddressAsync();
        using (CommandProcess health = CommandProcess.Start("health", "--address", address.ToString()))
        {
            Assert.Equal((0, ""), await health.EndAsync());
            Assert.Equal($"{address}: Serving", Assert.Single(health.Output));
        }

        using var client = new LoraServeClient(address);
        using AsyncServerStreamingCall<GenerateChunk> call = client.Inference.GenerateStream(Ask.For("", promptTokens: 10, tokens: 480));
        Assert.True(await call.ResponseStream.MoveNext(default));
        await server.SignalAsync("TERM");
        int tokens = 1;
        while (await call.ResponseStream.MoveNext(default))
        {
            tokens += call.ResponseStream.Current.TokenIds.Count;
        }

        Assert.Equal(480, tokens);
        Assert.Equal((0, ""), await server.EndAsync());
        string logged = Assert.Single(server.Output, line => line.Contains(" info: ", StringComparison.Ordinal));
        Assert.Contains("/loraserve.v1.Inference/GenerateStream: OK for tenant 'default'", logged, StringComparison.Ordinal);
        using CommandProcess gone = CommandProcess.Start("health", "--address", address.ToString());
        (int code, string error) = await gone.EndAsync();
        Assert.Equal(1, code);
        Assert.StartsWith($"error: {address}: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signal_WhileRequestsTakeSeconds_WaitsForThem()
    {
        using var folder = new TemporaryFolder();
        using CommandProcess server = CommandProcess.Serve(folder);
        using var client = new LoraServeClient(await server.AddressAsync());

        // More than the two seconds that the command line's own patience would be, which ends the process amid them.
        GenerateRequest[] requests = [.. Enumerable.Range(0, 6).Select(seed => Ask.For("", seed, promptTokens: 10, tokens: 480))];
        Array.ForEach(requests, request => request.Sampling.N = 16);
        AsyncServerStreamingCall<GenerateChunk>[] calls = Array.ConvertAll(requests, request => client.Inference.GenerateStream(request));
        foreach (AsyncServerStreamingCall<GenerateChunk> call in calls)
        {
            Assert.True(await call.ResponseStream.MoveNext(default));
        }

        await server.SignalAsync("TERM");
        foreach (AsyncServerStreamingCall<GenerateChunk> call in calls)
        {
            int tokens = call.ResponseStream.Current.TokenIds.Count;
            while (await call.ResponseStream.MoveNext(default))
            {
                tokens += call.ResponseStream.Current.TokenIds.Count;
            }

            Assert.Equal(16 * 480, tokens);
            call.Dispose();
        }

        Assert.Equal((0, ""), await server.EndAsync());
    }

    [Fact]
    public async Task Signal_ASecondTime_EndsNowWithAStatusForEachCallAndTheirNumberInTheLog()
    {
        using var folder = new TemporaryFolder();
        using CommandProcess server = CommandProcess.Serve(folder);
        using var client = new LoraServeClient(await server.AddressAsync());
        AsyncServerStreamingCall<GenerateChunk>[] calls = [.. Enumerable.Range(0, 8).Select(seed =>
        {
            GenerateRequest request = Ask.For("", seed, promptTokens: 10, tokens: 500);
            request.Sampling.N = 16;
            return client.Inference.GenerateStream(request);
        })];
        foreach (AsyncServerStreamingCall<GenerateChunk> call in calls)
        {
            Assert.True(await call.ResponseStream.MoveNext(default));
        }

        // Not INT, which whoever runs tests in the background has them ignore.
        await server.SignalAsync("TERM");
        await server.LineAsync("stopping");
        await server.SignalAsync("TERM");
        int cut = 0;
        foreach (AsyncServerStreamingCall<GenerateChunk> call in calls)
        {
            try
            {
                while (await call.ResponseStream.MoveNext(default))
                {
                }
            }
            catch (RpcException end)
            {
                cut++;
                Assert.Equal(StatusCode.Unavailable, end.StatusCode);
                Assert.Contains("The server is stopping", end.Status.Detail, StringComparison.Ordinal);
            }

            call.Dispose();
        }

        Assert.Equal((0, ""), await server.EndAsync());
        string told = Assert.Single(server.Output, line => line.Contains("cut off.", StringComparison.Ordinal));
        Assert.Equal(cut, int.Parse(CutRequests().Match(told).Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Serve_PortThatIsTaken_SaysSoInOneLine()
    {
        using var folder = new TemporaryFolder();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        string model = TinyFiles.WriteModel(folder.At("model"));
        using CommandProcess server = CommandProcess.Start("serve", "--model", model, "--host", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture));
        (int code, string error) = await server.EndAsync();
        Assert.Equal(1, code);
        Assert.Empty(server.Output);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Contains(port.ToString(CultureInfo.InvariantCulture), error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData(2, "--host", "300.1.1.1", "no IP address")]
    [InlineData(1, "--host", "203.0.113.1", "203.0.113.1")]
    [InlineData(2, "--adapter-root", "no/such/folder", "not a folder")]
    public async Task Serve_ThatCannotBe_IsRefusedInOneLine(int expected, string option, string value, string words)
    {
        using var folder = new TemporaryFolder();

        // What the command line says is judged before the model is looked at, which may take minutes to load.
        string model = expected == 2 ? folder.At("no such model") : TinyFiles.WriteModel(folder.At("model"));
        using CommandProcess server = CommandProcess.Start("serve", "--model", model, option, value, "--port", "0");
        (int code, string error) = await server.EndAsync();
        Assert.Equal(expected, code);
        Assert.Empty(server.Output);
        Assert.Contains(words, error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.False(Directory.Exists("no/such/folder"));
    }

    [GeneratedRegex(@"(\d+) requests are cut off")]
    private static partial Regex CutRequests();
}
