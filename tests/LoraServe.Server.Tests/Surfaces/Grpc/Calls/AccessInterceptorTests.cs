using Grpc.Core;
using LoraServe.Server.Access;
using LoraServe.Server.Surfaces;
using LoraServe.Server.Surfaces.Grpc.Calls;
using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Surfaces.Grpc.Calls;

public sealed class AccessInterceptorTests
{
    private static readonly AccessInterceptor s_interceptor = new();

    [Fact]
    public async Task EveryKindOfCall_WithAKey_ReachesTheServiceWithItsCaller()
    {
        List<Principal> callers = [];
        await s_interceptor.UnaryServerHandler(new Proto.GenerateRequest(), await WithKeyAsync(), (_, call) => Reach(call, new Proto.GenerateResponse()));
        await s_interceptor.ClientStreamingServerHandler<Proto.UploadAdapterRequest, Proto.LoadAdapterResponse>(null!, await WithKeyAsync(), (_, call) => Reach(call, new Proto.LoadAdapterResponse()));
        await s_interceptor.ServerStreamingServerHandler<Proto.GenerateRequest, Proto.GenerateChunk>(new Proto.GenerateRequest(), null!, await WithKeyAsync(), (_, _, call) => Reach(call, ""));
        await s_interceptor.DuplexStreamingServerHandler<Proto.GenerateRequest, Proto.GenerateChunk>(null!, null!, await WithKeyAsync(), (_, _, call) => Reach(call, ""));

        Assert.Equal(Enumerable.Repeat(new Principal("alice", IsAdmin: false), 4), callers);

        Task<T> Reach<T>(ServerCallContext call, T response)
        {
            callers.Add(RequestContext.Of(call.UserState!).Caller);
            return Task.FromResult(response);
        }
    }

    [Fact]
    public async Task Unary_WithoutAKey_NeverReachesTheService()
    {
        FakeCall call = await WithKeyAsync(null);

        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => s_interceptor.UnaryServerHandler<Proto.GenerateRequest, Proto.GenerateResponse>(
            new Proto.GenerateRequest(), call, (_, _) => throw new InvalidOperationException("reached")));

        Assert.Equal((EngineError.Unauthenticated, "No key. Send the metadata 'authorization: Bearer KEY'."), (refusal.Error, refusal.Message));
        Assert.Null(RequestContext.Find(call.UserState!));
    }

    [Theory]
    [InlineData("/grpc.health.v1.Health/Check")]
    [InlineData("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")]
    [InlineData("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")]
    public async Task Unary_ProbesAndReflection_NeedNoKey(string method)
    {
        var answer = new Proto.GenerateResponse();

        Assert.Same(answer, await s_interceptor.UnaryServerHandler(new Proto.GenerateRequest(), new FakeCall { Path = method }, (_, _) => Task.FromResult(answer)));
    }

    [Fact]
    public async Task Unary_Deadline_IsTheRequests()
    {
        var until = new DateTime(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc);

        Assert.Equal(new DateTimeOffset(until), await DeadlineAsync(await WithKeyAsync(until: until)));
        Assert.Null(await DeadlineAsync(await WithKeyAsync()));

        static async Task<DateTimeOffset?> DeadlineAsync(FakeCall call)
        {
            await s_interceptor.UnaryServerHandler(new Proto.GenerateRequest(), call, (_, _) => Task.FromResult(new Proto.GenerateResponse()));
            return RequestContext.Of(call.UserState!).Deadline;
        }
    }

    private static async Task<FakeCall> WithKeyAsync(string? authorization = "Bearer secret", DateTime? until = null)
    {
        var access = new AccessOptions();
        access.Keys.Add(new AccessKey { Sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", Tenant = "alice" });
        var services = new ServiceCollection();
        AccessHandler.AddTo(services, access);
        ServiceProvider provider = services.BuildServiceProvider();
        var http = new DefaultHttpContext { RequestServices = provider, Request = { Headers = { Authorization = authorization } } };
        await new AuthenticationMiddleware(_ => Task.CompletedTask, provider.GetRequiredService<IAuthenticationSchemeProvider>()).Invoke(http);
        var call = new FakeCall { Until = until ?? DateTime.MaxValue };
        call.UserState["__HttpContext"] = http;
        return call;
    }
}
