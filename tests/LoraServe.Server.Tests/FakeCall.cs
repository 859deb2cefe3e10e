using Grpc.Core;
using LoraServe.Server.Surfaces;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Tests;

/// <summary>A call without a connection.</summary>
internal sealed class FakeCall : ServerCallContext
{
    public FakeCall(Principal? caller = null)
    {
        if (caller is not null)
        {
            new RequestContext(caller, deadline: null).Attach(UserState!);
        }
    }

    public string Path { get; init; } = "/loraserve.v1.Inference/Generate";

    public DateTime Until { get; init; } = DateTime.MaxValue;

    public Metadata Headers { get; init; } = [];

    public CancellationToken Cancelled { get; init; }

    protected override string MethodCore => Path;

    protected override string HostCore => "localhost";

    protected override string PeerCore => "ipv4:127.0.0.1:1";

    protected override DateTime DeadlineCore => Until;

    protected override Metadata RequestHeadersCore => Headers;

    protected override CancellationToken CancellationTokenCore => Cancelled;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; } = new(StatusCode.OK, "");

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore { get; } = new(null, []);

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("There is no call to hand on.");

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
}
