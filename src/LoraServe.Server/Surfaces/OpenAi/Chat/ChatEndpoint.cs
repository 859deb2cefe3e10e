using LoraServe.Models.Text;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Serving;
using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Surfaces.OpenAi.Chat;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed class ChatEndpoint(ServedModel served, TimeProvider time)
{
    private readonly TokenSpelling _spelling = new(served.Model.Tokenizer);

    public async Task AnswerAsync(HttpContext context)
    {
        ChatRequest message = await JsonBody.ReadAsync(context, OpenAiJson.Instance.ChatRequest).ConfigureAwait(false);
        (bool isStreamed, bool hasUsage) = SamplingMapping.Stream(message);
        Principal caller = CallContext.CallerOf(context);
        (IReadOnlyList<AdapterReference> adapters, ModelText? text) =
            await served.Engine.Adapters.TextOfAsync(caller, ModelNames.Adapters(message.Model, served, caller), context.RequestAborted).ConfigureAwait(false);
        string id = CallContext.RequestIdOf(context);
        ChatFormat? format = served.FormatOf(text);
        ToolUse tools = ChatTools.Of(message, format);
        GenerationRequest request = tools.Apply(ChatMapping.ToDomain(message, adapters, format, tools, caller, id), served.Model.Tokenizer);
        CallContext.Identify(context, id);
        Generation generation = await served.Engine.GenerateAsync(request, context.RequestAborted).ConfigureAwait(false);
        var first = new ChatChunk
        {
            Id = $"chatcmpl-{id}",
            Created = time.GetUtcNow().ToUnixTimeSeconds(),
            Model = message.Model!,
            SystemFingerprint = served.Model.Transformer.Fingerprint,
            Adapters = AnswerFields.Adapters(generation.Adapters),
        };
        bool hasLogprobs = message.Logprobs ?? false;
        await (isStreamed ? StreamAsync(context, generation, tools, first, hasLogprobs, hasUsage) : WriteAsync(context, generation, tools, first, hasLogprobs)).ConfigureAwait(false);
    }

    private async Task WriteAsync(HttpContext context, Generation generation, ToolUse tools, ChatChunk terms, bool hasLogprobs)
    {
        CollectedAnswer collected = await CollectedAnswer.OfAsync(generation, tools, context.RequestAborted).ConfigureAwait(false);
        var answer = new ChatAnswer
        {
            Id = terms.Id,
            Created = terms.Created,
            Model = terms.Model,
            SystemFingerprint = terms.SystemFingerprint,
            Adapters = terms.Adapters!,
            Choices =
            [
                .. collected.Choices.Select((choice, index) => new ChatChoice(
                    index, Message(choice), hasLogprobs ? Logprobs(choice.Tokens) : null, AnswerFields.ToMessage(choice.Finish, choice.EndsInCalls))),
            ],
            Usage = AnswerFields.ToMessage(collected.Usage),
        };
        await JsonAnswer.WriteAsync(context, answer, OpenAiJson.Instance.ChatAnswer).ConfigureAwait(false);
    }

    private async Task StreamAsync(HttpContext context, Generation generation, ToolUse tools, ChatChunk chunk, bool hasLogprobs, bool hasUsage)
    {
        var stream = new EventStream(context);
        bool[] begun = new bool[generation.Choices];
        ChoiceReader[] readers = [.. begun.Select((_, choice) => tools.CreateReader(generation.RequestId, choice))];
        await foreach (GeneratedToken token in generation.WithCancellation(context.RequestAborted).ConfigureAwait(false))
        {
            await BeginAsync(token.Choice).ConfigureAwait(false);
            MessageDelta added = Message(AnswerDelta.Of(readers[token.Choice].Read(token)));
            if (added is not { Content: null, ToolCalls: null } || hasLogprobs || token.Finish != FinishReason.None)
            {
                string? finish = AnswerFields.ToMessage(token.Finish, readers[token.Choice].EndsInCalls);
                await SendAsync(new ChunkChoice(token.Choice, added, hasLogprobs ? Logprobs([token]) : null, finish)).ConfigureAwait(false);
            }
        }

        foreach (int choice in Enumerable.Range(0, begun.Length).Where(choice => !begun[choice]))
        {
            await BeginAsync(choice).ConfigureAwait(false);
            await SendAsync(new ChunkChoice(choice, new MessageDelta(null, null), null, AnswerFields.ToMessage(FinishReason.Length))).ConfigureAwait(false);
        }

        if (hasUsage)
        {
            await stream.WriteAsync(chunk with { Usage = AnswerFields.ToMessage(generation.Usage) }, OpenAiJson.Instance.ChatChunk).ConfigureAwait(false);
        }

        await stream.WriteAsync("[DONE]"u8.ToArray()).ConfigureAwait(false);

        async Task BeginAsync(int choice)
        {
            if (!begun[choice])
            {
                begun[choice] = true;
                await SendAsync(new ChunkChoice(choice, new MessageDelta("assistant", ""), null, null)).ConfigureAwait(false);
            }
        }

        async Task SendAsync(ChunkChoice choice)
        {
            await stream.WriteAsync(chunk with { Choices = [choice] }, OpenAiJson.Instance.ChatChunk).ConfigureAwait(false);
            chunk = chunk with { Adapters = null };
        }
    }

    private static AssistantMessage Message(CollectedChoice choice) => choice.Calls.Count == 0
        ? new AssistantMessage(choice.Text, null)
        : new AssistantMessage(
            choice.Text.Length > 0 ? choice.Text : null,
            [.. choice.Calls.Select(call => new CallMessage(null, call.Id, CallMessage.FunctionType, new CalledFunction(call.Name, call.Arguments)))]);

    private static MessageDelta Message(AnswerDelta delta) => new(
        null,
        delta.Text.Length > 0 ? delta.Text : null,
        delta.Calls.Count > 0 ? [.. delta.Calls.Select(Message)] : null);

    // What a call is, is said where it begins.
    private static CallMessage Message(CallDelta call) => call.Id.Length > 0
        ? new CallMessage(call.Index, call.Id, CallMessage.FunctionType, new CalledFunction(call.Name, call.Arguments))
        : new CallMessage(call.Index, null, null, new CalledFunction(null, call.Arguments));

    private ChatLogprobs Logprobs(IReadOnlyList<GeneratedToken> tokens) => new([.. tokens.Select(token => _spelling.ToMessage(token))]);
}
