using Grpc.Core;
using Grpc.Core.Interceptors;

namespace LoraServe.Grpc.Tests.Server;

public sealed class InterceptorTests
{
    [Fact]
    public async Task ServerInterceptors_Several_WrapInOrder()
    {
        List<string> record = [];
        await using GrpcTestServer server = await StartAsync(record);
        await server.Client().SayAsync(new EchoRequest());
        Assert.Equal(["outer before /loraserve.testing.Echo/Say", "inner before /loraserve.testing.Echo/Say", "inner after", "outer after"], record);
    }

    [Fact]
    public async Task ServerInterceptors_StreamingKinds_AreWrappedToo()
    {
        List<string> record = [];
        await using GrpcTestServer server = await StartAsync(record);
        using (AsyncServerStreamingCall<EchoReply> repeat = server.Client().Repeat(new EchoRequest { Count = 1 }))
        {
            Assert.True(await repeat.ResponseStream.MoveNext(default));
        }

        using (AsyncClientStreamingCall<EchoRequest, EchoReply> join = server.Client().Join())
        {
            await join.RequestStream.CompleteAsync();
            await join;
        }

        using (AsyncDuplexStreamingCall<EchoRequest, EchoReply> talk = server.Client().Talk())
        {
            await talk.RequestStream.CompleteAsync();
            Assert.False(await talk.ResponseStream.MoveNext(default));
        }

        Assert.Equal(["Repeat", "Join", "Talk"], record.Where(line => line.StartsWith("inner", StringComparison.Ordinal)).Select(line => line.Split('/')[^1]));
    }

    [Fact]
    public async Task ClientInterceptors_Several_SeeTheCallInOrderAndMayChangeIt()
    {
        List<string> record = [];
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        CallInvoker invoker = server.Channel().Intercept(new RecordingInterceptor("first", record), new RecordingInterceptor("second", record));
        using AsyncUnaryCall<EchoReply> call = new Echo.EchoClient(invoker).SayAsync(new EchoRequest());
        await call;
        Assert.Equal(["first calls Say", "second calls Say"], record);
        Assert.Equal("second", call.GetTrailers().GetValue("echo-by"));
    }

    private static Task<GrpcTestServer> StartAsync(List<string> record) => GrpcTestServer.StartAsync(options =>
    {
        options.Interceptors.Add<RecordingInterceptor>("outer", record);
        options.Interceptors.Add<RecordingInterceptor>("inner", record);
    });
}
