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
        GenerationRequest request = ChatMapping.ToDomain(message, adapters, served.FormatOf(text), caller, id);
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
        await (isStreamed ? StreamAsync(context, generation, first, hasLogprobs, hasUsage) : WriteAsync(context, generation, first, hasLogprobs)).ConfigureAwait(false);
    }

    private async Task WriteAsync(HttpContext context, Generation generation, ChatChunk terms, bool hasLogprobs)
    {
        CollectedAnswer collected = await CollectedAnswer.OfAsync(generation, context.RequestAborted).ConfigureAwait(false);
        var answer = new ChatAnswer
        {
            Id = terms.Id,
            Created = terms.Created,
            Model = terms.Model,
            SystemFingerprint = terms.SystemFingerprint,
            Adapters = terms.Adapters!,
            Choices = [.. collected.Choices.Select((choice, index) => new ChatChoice(index, Message(choice), hasLogprobs ? Logprobs(choice.Tokens) : null, AnswerFields.ToMessage(choice.Finish)))],
            Usage = AnswerFields.ToMessage(collected.Usage),
        };
        await JsonAnswer.WriteAsync(context, answer, OpenAiJson.Instance.ChatAnswer).ConfigureAwait(false);
    }

    private async Task StreamAsync(HttpContext context, Generation generation, ChatChunk chunk, bool hasLogprobs, bool hasUsage)
    {
        var stream = new EventStream(context);
        bool[] begun = new bool[generation.Choices];
        await foreach (GeneratedToken token in generation.WithCancellation(context.RequestAborted).ConfigureAwait(false))
        {
            await BeginAsync(token.Choice).ConfigureAwait(false);
            if (token.Text.Length > 0 || hasLogprobs || token.Finish != FinishReason.None)
            {
                var added = new MessageDelta(null, token.Text.Length > 0 ? token.Text : null);
                await SendAsync(new ChunkChoice(token.Choice, added, hasLogprobs ? Logprobs([token]) : null, AnswerFields.ToMessage(token.Finish))).ConfigureAwait(false);
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

    /// <summary>What the assistant said: where tool calls are taken out of a whole answer, as <see cref="StreamAsync"/> is of a streamed one.</summary>
    private static AssistantMessage Message(CollectedChoice choice) => new(choice.Text);

    private ChatLogprobs Logprobs(IReadOnlyList<GeneratedToken> tokens) => new([.. tokens.Select(token => _spelling.ToMessage(token))]);
}
