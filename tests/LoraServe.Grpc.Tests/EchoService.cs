using Grpc.Core;

namespace LoraServe.Grpc.Tests;

/// <summary>Answers with what it is asked, in the way that the request's text asks for.</summary>
internal sealed class EchoService : Echo.EchoBase
{
    /// <summary>How many handlers saw their call cancelled.</summary>
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How many messages the "flood" stream has written.</summary>
    public int Written { get; private set; }

    public ServerCallContext? LastContext { get; private set; }

    /// <summary>Method, host and peer of the last unary call.</summary>
    public string? LastCall { get; private set; }

    public override async Task<EchoReply> Say(EchoRequest request, ServerCallContext context)
    {
        LastContext = context;
        LastCall = $"{context.GetHttpContext().Request.Method} {context.Method} {context.Host} {context.Peer}";
        ThrowIfAsked(request, context);
        foreach (Metadata.Entry entry in context.RequestHeaders.Where(entry => entry.Key.StartsWith("echo-", StringComparison.Ordinal)))
        {
            context.ResponseTrailers.Add(entry);
        }

        if (context.RequestHeaders.GetValue("want-headers") is { } value)
        {
            await context.WriteResponseHeadersAsync(new Metadata { { "sent-ahead", value } });
        }

        await WaitIfAsked(request, context);
        return request.Text == "null" ? null! : new EchoReply { Text = request.Text, Data = request.Data };
    }

    public override async Task Repeat(EchoRequest request, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context)
    {
        LastContext = context;
        if (request.Text == "flood")
        {
            await FloodAsync(request, responseStream, context);
            return;
        }

        for (int i = 0; i < request.Count; i++)
        {
            await responseStream.WriteAsync(new EchoReply { Text = request.Text, Index = i, Data = request.Data });
        }

        ThrowIfAsked(request, context);
        await WaitIfAsked(request, context);
    }

    public override async Task<EchoReply> Join(IAsyncStreamReader<EchoRequest> requestStream, ServerCallContext context)
    {
        var texts = new List<string>();
        long bytes = 0;
        await foreach (EchoRequest request in requestStream.ReadAllAsync())
        {
            ThrowIfAsked(request, context);
            texts.Add(request.Text);
            bytes += request.Data.Length;
        }

        return new EchoReply { Text = string.Join('+', texts), Index = (int)bytes };
    }

    public override async Task Talk(IAsyncStreamReader<EchoRequest> requestStream, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context)
    {
        int index = 0;
        await foreach (EchoRequest request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            ThrowIfAsked(request, context);
            await WaitIfAsked(request, context);
            await responseStream.WriteAsync(new EchoReply { Text = request.Text, Index = index++, Data = request.Data });
        }
    }

    private static void ThrowIfAsked(EchoRequest request, ServerCallContext context)
    {
        if (request.Text == "crash")
        {
            throw new InvalidOperationException("a secret of the server");
        }

        if (request.FailWith != 0)
        {
            context.ResponseTrailers.Add("reason", "asked");
            throw new RpcException(new Status((StatusCode)request.FailWith, request.Text), new Metadata { { "extra-bin", [1, 2, 255] } });
        }
    }

    private async Task WaitIfAsked(EchoRequest request, ServerCallContext context)
    {
        if (request.Text == "wait")
        {
            try
            {
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }
            finally
            {
                Cancelled.TrySetResult();
            }
        }
        else if (request.Text == "ignore")
        {
            await Task.Delay(TimeSpan.FromSeconds(2), CancellationToken.None);
        }
    }

    private async Task FloodAsync(EchoRequest request, IServerStreamWriter<EchoReply> responses, ServerCallContext context)
    {
        try
        {
            while (!context.CancellationToken.IsCancellationRequested)
            {
                await responses.WriteAsync(new EchoReply { Data = request.Data });
                Written++;
            }
        }
        finally
        {
            Cancelled.TrySetResult();
        }
    }
}
