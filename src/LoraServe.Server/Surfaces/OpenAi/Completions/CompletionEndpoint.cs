using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Surfaces.OpenAi.Completions;

/// <summary><c>POST /v1/completions</c>.</summary>
internal sealed class CompletionEndpoint(ServedModel served, TimeProvider time)
{
    private readonly TokenSpelling _spelling = new(served.Model.Tokenizer);

    public async Task AnswerAsync(HttpContext context)
    {
        CompletionRequest message = await JsonBody.ReadAsync(context, OpenAiJson.Instance.CompletionRequest).ConfigureAwait(false);
        (bool isStreamed, bool hasUsage) = SamplingMapping.Stream(message);
        Principal caller = CallContext.CallerOf(context);
        string id = CallContext.RequestIdOf(context);
        IReadOnlyList<GenerationRequest> prompts = CompletionMapping.ToDomain(message, ModelNames.Adapters(message.Model, served, caller), caller, id);
        CallContext.Identify(context, id);
        using PromptBatch batch = await PromptBatch.BeginAsync(served.Engine, prompts, context.RequestAborted).ConfigureAwait(false);
        var answer = new CompletionAnswer
        {
            Id = $"cmpl-{id}",
            Created = time.GetUtcNow().ToUnixTimeSeconds(),
            Model = message.Model!,
            SystemFingerprint = served.Model.Transformer.Fingerprint,
            Adapters = AnswerFields.Adapters(batch.Adapters),
        };
        CompletionText[] texts = [.. Enumerable.Range(0, batch.Prompts * batch.Choices).Select(index => new CompletionText(index, message.Logprobs is not null, _spelling))];
        await (isStreamed ? StreamAsync(context, batch, texts, answer, hasUsage) : WriteAsync(context, batch, texts, answer)).ConfigureAwait(false);
    }

    private static async Task WriteAsync(HttpContext context, PromptBatch batch, CompletionText[] texts, CompletionAnswer answer)
    {
        CollectedAnswer[] collected = await batch.CollectAsync().ConfigureAwait(false);
        answer = answer with
        {
            Choices =
            [
                .. from prompt in collected.Index()
                   from choice in prompt.Item.Choices.Index()
                   select texts[(prompt.Index * batch.Choices) + choice.Index].Next(batch.EchoOf(prompt.Index), choice.Item.Tokens, choice.Item.Finish),
            ],
            Usage = AnswerFields.ToMessage(batch.Usage),
        };
        await JsonAnswer.WriteAsync(context, answer, OpenAiJson.Instance.CompletionAnswer).ConfigureAwait(false);
    }

    private static async Task StreamAsync(HttpContext context, PromptBatch batch, CompletionText[] texts, CompletionAnswer answer, bool hasUsage)
    {
        var stream = new EventStream(context);
        await foreach ((int prompt, GeneratedToken token) in batch.ReadAsync().ConfigureAwait(false))
        {
            CompletionChoice choice = texts[(prompt * batch.Choices) + token.Choice].Next(batch.EchoOf(prompt), [token], token.Finish);
            if (choice.Text.Length > 0 || choice.Logprobs is not null || choice.FinishReason is not null)
            {
                await SendAsync([choice]).ConfigureAwait(false);
            }
        }

        // Where no token was to be generated, the prompt is all that an answer has.
        foreach ((int index, CompletionText text) in texts.Index().Where(text => !text.Item.IsBegun))
        {
            await SendAsync([text.Next(batch.EchoOf(index / batch.Choices), [], FinishReason.Length)]).ConfigureAwait(false);
        }

        if (hasUsage)
        {
            answer = answer with { Usage = AnswerFields.ToMessage(batch.Usage) };
            await SendAsync([]).ConfigureAwait(false);
        }

        await stream.WriteAsync("[DONE]"u8.ToArray()).ConfigureAwait(false);

        async Task SendAsync(IReadOnlyList<CompletionChoice> choices)
        {
            await stream.WriteAsync(answer with { Choices = choices }, OpenAiJson.Instance.CompletionAnswer).ConfigureAwait(false);
            answer = answer with { Adapters = null };
        }
    }
}
