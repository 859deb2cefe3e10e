using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoraServe.Adapters.Merging;
using LoraServe.Models.Text;
using LoraServe.Models.Text.ToolCalls;
using LoraServe.Serving.Requests;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc.Inference;

/// <summary>Messages of callers as the engine's requests. What is wrong is refused with the name of the field.</summary>
internal static class RequestMapping
{
    public static GenerationRequest ToDomain(Proto.GenerateRequest message, RequestContext call) => new()
    {
        Adapters = Adapters(message.Adapter, message.Adapters),
        Combination = Combination(message.Adapters),
        Prompt = message.PromptTokenIds.Count == 0 ? message.Prompt : Absent(message.Prompt, "prompt", "prompt_token_ids"),
        PromptTokens = message.PromptTokenIds.Count == 0 ? null : SamplingMapping.Tokens(message.PromptTokenIds, "prompt_token_ids"),
        AddSpecialTokens = !message.SkipSpecialTokensInPrompt,
        Sampling = SamplingMapping.ToDomain(message.Sampling),
        Echo = message.Echo,
        RequestId = message.RequestId,
        Priority = message.Priority,
        Principal = call.Caller,
        Deadline = call.Deadline,
    };

    public static GenerationRequest ToDomain(Proto.ChatRequest message, IReadOnlyList<AdapterReference> adapters, ChatFormat? chat, ToolUse tools, RequestContext call)
    {
        if (message.Messages.Count == 0)
        {
            throw new EngineException(EngineError.EmptyPrompt, "messages is empty; send at least one.");
        }

        return new GenerationRequest
        {
            Adapters = adapters,
            Combination = Combination(message.Adapters),
            Prompt = Render(message.Messages, tools, message.TemplateVariables, chat),
            AddSpecialTokens = false,
            Sampling = SamplingMapping.ToDomain(message.Sampling),
            RequestId = message.RequestId,
            Priority = message.Priority,
            Principal = call.Caller,
            Deadline = call.Deadline,
        };
    }

    /// <summary>The tools of a conversation.</summary>
    public static IReadOnlyList<JsonElement> Tools(Proto.ChatRequest message) => [.. message.Tools.Select(ToJson)];

    /// <summary>The adapters of a conversation.</summary>
    public static IReadOnlyList<AdapterReference> Adapters(Proto.ChatRequest message) => Adapters(message.Adapter, message.Adapters);

    public static ScoreRequest ToDomain(Proto.ScoreRequest message, RequestContext call) => new()
    {
        Adapters = Adapters(message.Adapter, message.Adapters),
        Combination = Combination(message.Adapters),
        Prompt = message.PromptTokenIds.Count == 0 ? message.Prompt : Absent(message.Prompt, "prompt", "prompt_token_ids"),
        PromptTokens = message.PromptTokenIds.Count == 0 ? null : SamplingMapping.Tokens(message.PromptTokenIds, "prompt_token_ids"),
        Continuations = [.. message.Continuations],
        ContinuationTokens = [.. message.ContinuationTokenIds.Select(ids => SamplingMapping.Tokens(ids.Ids, "continuation_token_ids"))],
        RequestId = message.RequestId,
        Principal = call.Caller,
        Deadline = call.Deadline,
    };

    public static EmbedRequest ToDomain(Proto.EmbedRequest message, RequestContext call) => new()
    {
        Adapters = Adapters(message.Adapter, message.Adapters),
        Combination = Combination(message.Adapters),
        Inputs = [.. message.Input],
        Pooling = message.Pooling == Proto.Pooling.Mean ? Pooling.Mean : Pooling.Last,
        Normalize = message.Normalize,
        RequestId = message.RequestId,
        Principal = call.Caller,
        Deadline = call.Deadline,
    };

    /// <summary>A conversation as the model's template writes it.</summary>
    public static string Render(IEnumerable<Proto.ChatMessage> messages, ToolUse tools, Struct? variables, ChatFormat? chat) => ChatPrompt.Render(
        [.. messages.Select(Fields)], tools.Shown, variables?.Fields.ToDictionary(field => field.Key, object? (field) => ToJson(field.Value)), chat);

    private static Dictionary<string, object?> Fields(Proto.ChatMessage message, int index)
    {
        var fields = new Dictionary<string, object?> { ["content"] = message.Content };
        foreach ((string name, Value value) in message.Extra?.Fields ?? [])
        {
            fields[name] = ToJson(value);
        }

        fields["role"] = message.Role;
        if (message.ToolCalls.Count > 0 && !fields.TryAdd("tool_calls", ChatMessageCalls.ToJson([.. message.ToolCalls.Select(call => new ToolCall(call.Id, call.Name, call.ArgumentsJson))], index)))
        {
            throw new EngineException(EngineError.InvalidRequest, $"messages[{index}] has tool_calls both as a field and in extra; send one of them.");
        }

        if (message.ToolCallId.Length > 0)
        {
            fields["tool_call_id"] = message.ToolCallId;
        }

        return fields;
    }

    private static JsonElement ToJson(IMessage message) => JsonElement.Parse(JsonFormatter.Default.Format(message));

    private static IReadOnlyList<AdapterReference> Adapters(string adapter, Proto.AdapterSelection? stack)
    {
        if (stack is null || stack.Stack.Count == 0)
        {
            return AdapterReference.ParseStack(adapter);
        }

        Absent(adapter, "adapter", "adapters");
        return [.. stack.Stack.Select(part => AdapterReference.Named(part.Name, part.HasWeight ? part.Weight : 1))];
    }

    private static CombinationOptions? Combination(Proto.AdapterSelection? selection) => selection?.Combination is { } combination
        ? CombinationSettings.Read(
            combination.Method,
            combination.HasDensity ? combination.Density : null,
            combination.HasRank ? combination.Rank : null,
            combination.MajoritySignMethod,
            combination.Seed)
        : null;

    private static string? Absent(string value, string field, string other) => value.Length == 0
        ? null
        : throw new EngineException(EngineError.InvalidRequest, $"Both {field} and {other} are set; send one of them.");
}
