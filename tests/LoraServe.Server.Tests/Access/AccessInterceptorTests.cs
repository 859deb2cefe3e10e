using Grpc.Core;
using LoraServe.Server.Access;
using LoraServe.Serving;
using Microsoft.AspNetCore.Http;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Access;

public sealed class AccessInterceptorTests
{
    private readonly AccessInterceptor _interceptor;

    public AccessInterceptorTests()
    {
        var options = new AccessOptions();
        options.Keys.Add(new AccessKey { Sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", Tenant = "alice" });
        _interceptor = new AccessInterceptor(new CallerDirectory(options));
    }

    [Fact]
    public async Task EveryKindOfCall_WithAKey_ReachesTheServiceWithItsCaller()
    {
        List<Principal> callers = [];
        await _interceptor.UnaryServerHandler(new Proto.GenerateRequest(), WithKey(), (_, call) => Reach(call, new Proto.GenerateResponse()));
        await _interceptor.ClientStreamingServerHandler<Proto.UploadAdapterRequest, Proto.LoadAdapterResponse>(null!, WithKey(), (_, call) => Reach(call, new Proto.LoadAdapterResponse()));
        await _interceptor.ServerStreamingServerHandler<Proto.GenerateRequest, Proto.GenerateChunk>(new Proto.GenerateRequest(), null!, WithKey(), (_, _, call) => Reach(call, ""));
        await _interceptor.DuplexStreamingServerHandler<Proto.GenerateRequest, Proto.GenerateChunk>(null!, null!, WithKey(), (_, _, call) => Reach(call, ""));

        Assert.Equal(Enumerable.Repeat(new Principal("alice", IsAdmin: false), 4), callers);

        Task<T> Reach<T>(ServerCallContext call, T response)
        {
            callers.Add(Caller.Of(call));
            return Task.FromResult(response);
        }
    }

    [Fact]
    public async Task Unary_WithoutAKey_NeverReachesTheService()
    {
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(() => _interceptor.UnaryServerHandler<Proto.GenerateRequest, Proto.GenerateResponse>(
            new Proto.GenerateRequest(), WithKey(null), (_, _) => throw new InvalidOperationException("reached")));

        Assert.Equal(StatusCode.Unauthenticated, refusal.StatusCode);
    }

    [Theory]
    [InlineData("/grpc.health.v1.Health/Check")]
    [InlineData("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")]
    [InlineData("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")]
    public async Task Unary_ProbesAndReflection_NeedNoKey(string method)
    {
        var answer = new Proto.GenerateResponse();

        Assert.Same(answer, await _interceptor.UnaryServerHandler(new Proto.GenerateRequest(), new FakeCall { Path = method }, (_, _) => Task.FromResult(answer)));
    }

    private static FakeCall WithKey(string? authorization = "Bearer secret")
    {
        var call = new FakeCall();
        call.UserState["__HttpContext"] = new DefaultHttpContext { Request = { Headers = { Authorization = authorization } } };
        return call;
    }
}
