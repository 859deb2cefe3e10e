using Grpc.Core;
using Grpc.Health.V1;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace LoraServe.Grpc.Tests.HealthChecks;

public sealed class HealthServiceImplTests
{
    [Fact]
    public async Task Check_KnownAndUnknown_AnswersOrNotFound()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        var client = new Health.HealthClient(server.Channel());
        server.Health.SetStatus("", ServingStatus.Serving);
        server.Health.SetStatus("a.B", ServingStatus.NotServing);
        Assert.Equal(ServingStatus.Serving, (await client.CheckAsync(new HealthCheckRequest())).Status);
        Assert.Equal(ServingStatus.NotServing, (await client.CheckAsync(new HealthCheckRequest { Service = "a.B" })).Status);
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await client.CheckAsync(new HealthCheckRequest { Service = "no" }));
        Assert.Equal(StatusCode.NotFound, e.StatusCode);

        HealthListResponse list = await client.ListAsync(new HealthListRequest());
        Assert.Equal(["", "a.B"], list.Statuses.Keys.Order());
        server.Health.ClearAll();
        Assert.Empty((await client.ListAsync(new HealthListRequest())).Statuses);
    }

    [Fact]
    public async Task Watch_Changes_AreTold()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncServerStreamingCall<HealthCheckResponse> call = new Health.HealthClient(server.Channel()).Watch(new HealthCheckRequest { Service = "later" });
        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync(call));
        server.Health.SetStatus("another", ServingStatus.Serving);
        server.Health.SetStatus("later", ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, await NextAsync(call));
        server.Health.ClearStatus("later");
        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync(call));
    }

    [Fact]
    public async Task Watch_ServerStops_Ends()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncServerStreamingCall<HealthCheckResponse> call = new Health.HealthClient(server.Channel()).Watch(new HealthCheckRequest());
        await NextAsync(call);
        Task stop = server.StopAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
        await stop.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private static async Task<ServingStatus> NextAsync(AsyncServerStreamingCall<HealthCheckResponse> call)
    {
        Assert.True(await call.ResponseStream.MoveNext(default));
        return call.ResponseStream.Current.Status;
    }
}
