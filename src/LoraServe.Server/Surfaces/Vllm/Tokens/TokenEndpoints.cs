using LoraServe.Models.Text;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Chat;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.Vllm.Messages;
using LoraServe.Serving.Requests;
using LoraServe.Tokenization;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Surfaces.Vllm.Tokens;

/// <summary><c>POST /tokenize</c> and <c>/detokenize</c>.</summary>
internal sealed class TokenEndpoints(ServedModel served)
{
    public async Task TokenizeAsync(HttpContext context)
    {
        TokenizeRequest message = await JsonBody.ReadAsync(context, VllmJson.Instance.TokenizeRequest).ConfigureAwait(false);
        Tokenizer tokenizer = Tokenizer();
        (string text, bool addsSpecialTokens) = await TextOfAsync(message, context).ConfigureAwait(false);
        int[] ids = served.Engine.Tokenize(text, addsSpecialTokens);
        string[]? spelled = message.ReturnTokenStrs ?? false ? [.. ids.Select(id => tokenizer.TokenText(id) ?? "")] : null;
        await JsonAnswer.WriteAsync(
            context, new TokenizeAnswer(ids.Length, served.Model.Transformer.Spec.ContextLength, ids, spelled), VllmJson.Instance.TokenizeAnswer).ConfigureAwait(false);
    }

    public async Task DetokenizeAsync(HttpContext context)
    {
        DetokenizeRequest message = await JsonBody.ReadAsync(context, VllmJson.Instance.DetokenizeRequest).ConfigureAwait(false);
        IReadOnlyList<int> ids = message.Tokens ?? throw FieldReading.Missing("tokens");
        int size = served.Model.Transformer.VocabularySize;
        if (ids.FirstOrDefault(id => id < 0 || id >= size, 0) is var other && (other < 0 || other >= size))
        {
            throw JsonMessage.Refusal($"Token id {other} in tokens is not in the vocabulary; ids are 0 to {size - 1}.", "tokens");
        }

        string text = Tokenizer().Decode([.. ids], skipSpecialTokens: false);
        await JsonAnswer.WriteAsync(context, new DetokenizeAnswer(text), VllmJson.Instance.DetokenizeAnswer).ConfigureAwait(false);
    }

    private async Task<(string Text, bool AddsSpecialTokens)> TextOfAsync(TokenizeRequest message, HttpContext context)
    {
        if (message.Messages is not { } turns)
        {
            return (message.Prompt ?? throw FieldReading.Missing("prompt"), message.AddSpecialTokens ?? true);
        }

        if (message.Prompt is not null)
        {
            throw JsonMessage.Refusal("Both prompt and messages are set; send one of them.", "prompt");
        }

        Principal caller = CallContext.CallerOf(context);
        IReadOnlyList<AdapterReference> adapters = message.Model is null ? [] : ModelNames.Adapters(message.Model, served, caller);
        ModelText? text = (await served.Engine.Adapters.TextOfAsync(caller, adapters, context.RequestAborted).ConfigureAwait(false)).Text;
        ChatFormat? format = served.FormatOf(text);
        return (ChatPrompt.Render([.. turns.Select((turn, i) => ChatTurn.Fields(turn, $"messages[{i}]", format))], [], null, format), message.AddSpecialTokens ?? false);
    }

    private Tokenizer Tokenizer() => served.Model.Tokenizer
        ?? throw new EngineException(EngineError.Unsupported, "The model has no tokenizer. Send token ids instead of text.");
}
