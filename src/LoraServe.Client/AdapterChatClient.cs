using System.Runtime.CompilerServices;
using Grpc.Core;
using LoraServe.V1;
using Microsoft.Extensions.AI;

namespace LoraServe.Client;

/// <summary>One server as the chat client that .NET libraries know; the model id is the adapter.</summary>
internal sealed class AdapterChatClient(LoraServeClient client, string adapter) : IChatClient
{
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        GenerateResponse answer = await client.Inference.ChatAsync(ToRequest(messages, options), cancellationToken: cancellationToken).ConfigureAwait(false);
        Choice choice = answer.Choices[0];
        return new ChatResponse(new Microsoft.Extensions.AI.ChatMessage(ChatRole.Assistant, choice.Text))
        {
            ResponseId = answer.RequestId,
            ModelId = Model(options),
            FinishReason = Reason(choice.FinishReason),
            Usage = ToDetails(answer.Usage),
        };
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using AsyncServerStreamingCall<GenerateChunk> call = client.Inference.ChatStream(ToRequest(messages, options), cancellationToken: cancellationToken);
        await foreach (GenerateChunk chunk in call.ResponseStream.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            AIContent content = chunk.Usage is { } usage ? new UsageContent(ToDetails(usage)) : new TextContent(chunk.Text);
            yield return new ChatResponseUpdate(ChatRole.Assistant, [content])
            {
                ResponseId = chunk.RequestId,
                ModelId = Model(options),
                FinishReason = Reason(chunk.FinishReason),
            };
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(LoraServeClient) ? client
        : serviceType.IsInstanceOfType(this) ? this
        : null;

    public void Dispose()
    {
        // The connection belongs to the LoraServeClient.
    }

    private static UsageDetails ToDetails(Usage usage) => new()
    {
        InputTokenCount = usage.PromptTokens,
        OutputTokenCount = usage.CompletionTokens,
        TotalTokenCount = usage.PromptTokens + usage.CompletionTokens,
        CachedInputTokenCount = usage.CachedPromptTokens,
    };

    private static ChatFinishReason? Reason(FinishReason reason) => reason switch
    {
        FinishReason.Stop => ChatFinishReason.Stop,
        FinishReason.Length => ChatFinishReason.Length,
        _ => null,
    };

    private string Model(ChatOptions? options) => options?.ModelId ?? adapter;

    private ChatRequest ToRequest(IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options)
    {
        var request = new ChatRequest { Adapter = Model(options), Sampling = ToSampling(options) };
        if (options?.Instructions is { Length: > 0 } instructions)
        {
            request.Messages.Add(new V1.ChatMessage { Role = "system", Content = instructions });
        }

        request.Messages.AddRange(messages.Select(message => new V1.ChatMessage { Role = message.Role.Value, Content = message.Text }));
        return request;
    }

    private static SamplingOptions ToSampling(ChatOptions? options)
    {
        var sampling = new SamplingOptions();
        if (options is null)
        {
            return sampling;
        }

        Set(options.MaxOutputTokens, value => sampling.MaxTokens = (uint)value);
        Set(options.Temperature, value => sampling.Temperature = value);
        Set(options.TopP, value => sampling.TopP = value);
        Set(options.TopK, value => sampling.TopK = (uint)value);
        Set(options.PresencePenalty, value => sampling.PresencePenalty = value);
        Set(options.FrequencyPenalty, value => sampling.FrequencyPenalty = value);
        Set(options.Seed, value => sampling.Seed = (ulong)value);
        sampling.Stop.AddRange(options.StopSequences ?? []);
        return sampling;
    }

    private static void Set<T>(T? value, Action<T> set)
        where T : struct
    {
        if (value is { } given)
        {
            set(given);
        }
    }
}
