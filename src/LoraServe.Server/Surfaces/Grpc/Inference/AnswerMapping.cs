using LoraServe.Models;
using LoraServe.Serving.Requests;
using LoraServe.Tokenization;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc.Inference;

/// <summary>What the engine answers, as messages.</summary>
internal static class AnswerMapping
{
    /// <param name="answer">The answer.</param>
    /// <param name="model">The model that gave it.</param>
    /// <param name="asMessages">Whether each choice is also an assistant's message.</param>
    public static Proto.GenerateResponse ToMessage(CollectedAnswer answer, LoadedModel model, bool asMessages)
    {
        var response = new Proto.GenerateResponse { RequestId = answer.RequestId, Model = model.Name, Usage = ToMessage(answer.Usage) };
        response.Adapters.AddRange(answer.Adapters.Select(ToMessage));
        foreach ((int index, CollectedChoice choice) in answer.Choices.Index())
        {
            var message = new Proto.Choice { Index = (uint)index, Text = choice.Text, FinishReason = ToMessage(choice.Finish) };
            message.TokenIds.AddRange(choice.Tokens.Select(token => (uint)token.TokenId));
            message.Logprobs.AddRange(choice.Tokens.Select(token => Logprobs(token, model.Tokenizer)).OfType<Proto.TokenLogprobs>());
            message.Message = asMessages ? new Proto.ChatMessage { Role = "assistant", Content = choice.Text } : null;
            response.Choices.Add(message);
        }

        return response;
    }

    public static Proto.FinishReason ToMessage(FinishReason reason) => reason switch
    {
        FinishReason.Stop => Proto.FinishReason.Stop,
        FinishReason.Length => Proto.FinishReason.Length,
        _ => Proto.FinishReason.Unspecified,
    };

    public static Proto.ServedAdapter ToMessage(ServedAdapter adapter) => new()
    {
        Name = adapter.Name,
        Version = (uint)adapter.Version,
        Digest = adapter.Digest,
        Weight = adapter.Weight,
    };

    public static Proto.Usage ToMessage(Usage usage) => new()
    {
        PromptTokens = (uint)usage.PromptTokens,
        CompletionTokens = (uint)usage.CompletionTokens,
        CachedPromptTokens = (uint)usage.CachedPromptTokens,
    };

    /// <summary>A token's log-probabilities; null where they were not asked for.</summary>
    public static Proto.TokenLogprobs? Logprobs(in GeneratedToken token, Tokenizer? tokenizer)
    {
        if (float.IsNaN(token.LogProbability))
        {
            return null;
        }

        var message = new Proto.TokenLogprobs { Token = ToMessage(new TokenProbability(token.TokenId, token.LogProbability), tokenizer) };
        message.Top.AddRange(token.Top.Select(top => ToMessage(top, tokenizer)));
        return message;
    }

    public static Proto.Scored ToMessage(ScoredText score)
    {
        var message = new Proto.Scored { SumLogprob = score.Sum, Perplexity = score.Perplexity };
        message.TokenIds.AddRange(score.TokenIds.Select(id => (uint)id));
        message.TokenLogprobs.AddRange(score.LogProbabilities);
        return message;
    }

    private static Proto.TokenProbability ToMessage(TokenProbability token, Tokenizer? tokenizer) => new()
    {
        TokenId = (uint)token.TokenId,
        Token = tokenizer?.TokenText(token.TokenId) ?? "",
        Logprob = token.LogProbability,
    };
}
