using System.Net;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using LoraServe.EndToEnd.Tests.Setup;
using LoraServe.V1;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace LoraServe.EndToEnd.Tests.Exchange;

/// <summary>gRPC's health service, <c>/readyz</c> and <c>/healthz</c>, from start to stop.</summary>
public class HealthTests
{
    private static readonly string[] s_services = ["", "loraserve.v1.Inference", "loraserve.v1.Adapters", "loraserve.v1.Training"];

    [Fact]
    public async Task Health_OfAServerThatServes_IsTheSameEverywhere()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        using var channel = GrpcChannel.ForAddress(server.Host.Address);
        var health = new Health.HealthClient(channel);
        foreach (string service in s_services)
        {
            Assert.Equal(ServingStatus.Serving, (await health.CheckAsync(new HealthCheckRequest { Service = service })).Status);
        }

        await Refused.WithAsync(StatusCode.NotFound, health.CheckAsync(new HealthCheckRequest { Service = "nonesuch" }));
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync(server, "healthz"));
        Assert.Equal((HttpStatusCode.OK, "serving\n"), await GetAsync(server, "readyz"));
    }

    [Fact]
    public async Task Health_FromTheMomentThatDrainingBegins_SaysSoWhileRequestsEnd()
    {
        await using TestServer server = await TestServer.StartTinyAsync(options => options.MaxRunningSequences = 1);
        using var channel = GrpcChannel.ForAddress(server.Host.Address);
        var health = new Health.HealthClient(channel);
        using AsyncServerStreamingCall<HealthCheckResponse> watch = health.Watch(new HealthCheckRequest { Service = s_services[1] });
        Assert.Equal(ServingStatus.Serving, await NextAsync(watch));

        // Answers for a minute, one after another: the drain does not end before the test has looked.
        GenerateRequest slow = Ask.For("", promptTokens: 10, tokens: 480);
        AsyncUnaryCall<GenerateResponse>[] running = [.. Enumerable.Range(0, 100).Select(_ => server.Client.Inference.GenerateAsync(slow))];
        await Eventually.TrueAsync(() => server.Engine.Status.QueuedRequests > running.Length / 2, () => "the requests do not come");
        using var hurry = new CancellationTokenSource();
        Task stopped = server.Host.StopAsync(hurry.Token);

        Assert.Equal(ServingStatus.NotServing, await NextAsync(watch));
        foreach (string service in s_services)
        {
            Assert.Equal(ServingStatus.NotServing, (await health.CheckAsync(new HealthCheckRequest { Service = service })).Status);
        }

        (HttpStatusCode status, string reason) = await GetAsync(server, "readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("stopping", reason, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync(server, "healthz"));
        await hurry.CancelAsync();
        await stopped;
        foreach (AsyncUnaryCall<GenerateResponse> call in running)
        {
            call.Dispose();
        }
    }

    [Fact]
    public async Task Watch_OfHealthAndAdapters_EndsWithTheServer()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        using var channel = GrpcChannel.ForAddress(server.Host.Address);
        using AsyncServerStreamingCall<HealthCheckResponse> health = new Health.HealthClient(channel).Watch(new HealthCheckRequest());
        Assert.Equal(ServingStatus.Serving, await NextAsync(health));
        await server.LoadAsync(("a", 1));
        using AsyncServerStreamingCall<AdapterEvent> adapters = server.Client.Adapters.Watch(new WatchAdaptersRequest { IncludeExisting = true });
        Assert.True(await adapters.ResponseStream.MoveNext(default));
        Task stopped = server.Host.StopAsync();

        // Both have a status of their own: a server that waited for them would have to tear their connections down.
        while (await health.ResponseStream.MoveNext(default))
        {
            Assert.Equal(ServingStatus.NotServing, health.ResponseStream.Current.Status);
        }

        await Refused.WithAsync(
            StatusCode.Unavailable,
            async () =>
            {
                while (await adapters.ResponseStream.MoveNext(default))
                {
                }
            },
            "stopping");
        await stopped;
    }

    private static async Task<ServingStatus> NextAsync(AsyncServerStreamingCall<HealthCheckResponse> watch)
    {
        Assert.True(await watch.ResponseStream.MoveNext(default));
        return watch.ResponseStream.Current.Status;
    }

    private static async Task<(HttpStatusCode Status, string Text)> GetAsync(TestServer server, string page)
    {
        using var http = new HttpClient();
        using HttpResponseMessage response = await http.GetAsync(new Uri(server.Host.HttpAddress, page));
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
