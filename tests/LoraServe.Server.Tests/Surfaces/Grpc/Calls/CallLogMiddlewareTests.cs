using Grpc.AspNetCore.Server;
using Grpc.Core;
using LoraServe.Jobs.Tests;
using LoraServe.Server.Surfaces;
using LoraServe.Server.Surfaces.Grpc.Calls;
using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Surfaces.Grpc.Calls;

public sealed class CallLogMiddlewareTests
{
    private readonly RecordedLog<CallLogMiddleware> _log = new();

    [Fact]
    public async Task Call_Answered_LogsMethodStatusTenantAndTheAnswersId()
    {
        await InvokeAsync("Inference", "Generate", StatusCode.OK, new Principal("alice", IsAdmin: false), requestId: "made-up");

        Assert.Equal((LogLevel.Information, "/loraserve.v1.Inference/Generate: OK for tenant 'alice' in 0.0 ms, request 'made-up'.", null), Assert.Single(_log.Lines));
    }

    [Fact]
    public async Task Call_RefusedBeforeAnybodyAsked_LogsItsStatus()
    {
        await InvokeAsync("Inference", "Generate", StatusCode.Unauthenticated);

        Assert.Equal("/loraserve.v1.Inference/Generate: Unauthenticated for tenant '' in 0.0 ms, request ''.", Assert.Single(_log.Lines).Text);
    }

    [Fact]
    public async Task Call_OfNoMethod_KeepsTheCallersTextOutOfTheLog()
    {
        var context = new DefaultHttpContext { Request = { Path = "/a\nb" } };
        await Middleware(StatusCode.Unimplemented).InvokeAsync(context);

        Assert.Equal("a method that does not exist: Unimplemented for tenant '' in 0.0 ms, request ''.", Assert.Single(_log.Lines).Text);
    }

    [Fact]
    public async Task Call_Probe_IsForDebuggingOnly()
    {
        await InvokeAsync("grpc.health.v1.Health", "Check", StatusCode.OK, package: "");

        Assert.Equal(LogLevel.Debug, Assert.Single(_log.Lines).Level);
    }

    private async Task InvokeAsync(string service, string method, StatusCode status, Principal? caller = null, string? requestId = null, string package = "loraserve.v1.")
    {
        var call = new FakeCall(caller);
        var context = new DefaultHttpContext { Items = call.UserState! };
        context.Features.Set<IServerCallContextFeature>(new CallFeature(call));
        var description = new Method<string, string>(MethodType.Unary, package + service, method, Marshallers.StringMarshaller, Marshallers.StringMarshaller);
        context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(new GrpcMethodMetadata(typeof(Proto.Inference), description)), null));
        if (requestId is not null)
        {
            RequestContext.Of(context.Items).RequestId = requestId;
        }

        await Middleware(status).InvokeAsync(context);
    }

    private CallLogMiddleware Middleware(StatusCode status) => new(
        context =>
        {
            CallStatus.Set(context, status, "");
            return Task.CompletedTask;
        },
        _log,
        new FakeTimeProvider());

    private sealed record CallFeature(ServerCallContext ServerCallContext) : IServerCallContextFeature;
}
