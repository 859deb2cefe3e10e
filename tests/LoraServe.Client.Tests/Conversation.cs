using Grpc.Core;
using LoraServe.V1;

namespace LoraServe.Client.Tests;

/// <summary>What a <see cref="ServerDouble"/> heard, and what it answers.</summary>
internal sealed class Conversation
{
    /// <summary>Every message of clients, in order.</summary>
    public List<object> Heard { get; } = [];

    /// <summary>The header <c>authorization</c> that came with each.</summary>
    public List<string?> Keys { get; } = [];

    public GenerateResponse Answer { get; set; } = new();

    public IReadOnlyList<GenerateChunk> Chunks { get; set; } = [];

    public IReadOnlyList<TrainingEvent> Events { get; set; } = [];

    /// <summary>Uploads are refused with this after their first message.</summary>
    public Status? Refusal { get; set; }

    /// <summary>What the first messages are answered with, one each; the ones after get their answer.</summary>
    public Queue<RpcException> Failures { get; } = [];

    /// <summary>Ends streams after their chunks.</summary>
    public RpcException? StreamFailure { get; set; }

    public void Hear(object message, ServerCallContext context)
    {
        Heard.Add(message);
        Keys.Add(context.RequestHeaders.GetValue("authorization"));
        if (Failures.TryDequeue(out RpcException? failure))
        {
            throw failure;
        }
    }
}
