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
        IEnumerable<AIContent> text = choice.Text.Length > 0 ? [new TextContent(choice.Text)] : [];
        return new ChatResponse(new Microsoft.Extensions.AI.ChatMessage(ChatRole.Assistant, [.. text, .. (choice.Message?.ToolCalls ?? []).Select(ToolMapping.ToContent)]))
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
        var calls = new List<ToolCall>();
        await foreach (GenerateChunk chunk in call.ResponseStream.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            Gather(chunk.ToolCalls, calls);
            AIContent content = chunk.Usage is { } usage ? new UsageContent(ToDetails(usage)) : new TextContent(chunk.Text);
            IEnumerable<AIContent> called = chunk.FinishReason == FinishReason.Unspecified ? [] : calls.Select(ToolMapping.ToContent);
            yield return new ChatResponseUpdate(ChatRole.Assistant, [content, .. called])
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
        FinishReason.ToolCalls => ChatFinishReason.ToolCalls,
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

        request.Messages.AddRange(messages.SelectMany(ToolMapping.ToMessages));
        request.Tools.AddRange((options?.Tools ?? []).Select(ToolMapping.ToMessage));
        request.ToolChoice = ToolMapping.ToChoice(options?.ToolMode);
        return request;
    }

    private static void Gather(IEnumerable<ToolCallDelta> deltas, List<ToolCall> calls)
    {
        foreach (ToolCallDelta delta in deltas)
        {
            if (delta.Id.Length > 0)
            {
                calls.Add(new ToolCall { Id = delta.Id, Name = delta.Name });
            }

            // Calls come one behind the other, whatever a server numbers them.
            if (calls.Count > 0)
            {
                calls[^1].ArgumentsJson += delta.ArgumentsJson;
            }
        }
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
        sampling.Constraint = options.ResponseFormat switch
        {
            ChatResponseFormatJson { Schema: { } schema } => new Constraint { JsonSchema = schema.GetRawText() },
            ChatResponseFormatJson => new Constraint { JsonObject = true },
            _ => null,
        };
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
