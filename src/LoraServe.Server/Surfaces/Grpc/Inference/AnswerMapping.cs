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
        response.PromptLogprobs.AddRange(answer.Prompt.Select(token => Logprobs(token, model.Tokenizer)));
        foreach ((int index, CollectedChoice choice) in answer.Choices.Index())
        {
            var message = new Proto.Choice { Index = (uint)index, Text = choice.Text, FinishReason = ToMessage(choice.Finish, choice.EndsInCalls) };
            message.TokenIds.AddRange(choice.Tokens.Select(token => (uint)token.TokenId));
            message.Logprobs.AddRange(choice.Tokens.Select(token => Logprobs(token, model.Tokenizer)).OfType<Proto.TokenLogprobs>());
            message.Message = asMessages ? ToMessage(choice) : null;
            response.Choices.Add(message);
        }

        return response;
    }

    /// <param name="reason">Why the engine ended an answer.</param>
    /// <param name="endsInCalls">Whether it ends with tool calls.</param>
    public static Proto.FinishReason ToMessage(FinishReason reason, bool endsInCalls) => reason switch
    {
        FinishReason.Stop when endsInCalls => Proto.FinishReason.ToolCalls,
        FinishReason.Stop => Proto.FinishReason.Stop,
        FinishReason.Length => Proto.FinishReason.Length,
        _ => Proto.FinishReason.Unspecified,
    };

    public static Proto.ServedAdapter ToMessage(ServedAdapter adapter)
    {
        var message = new Proto.ServedAdapter { Name = adapter.Name, Version = (uint)adapter.Version, Digest = adapter.Digest, Weight = adapter.Weight };
        if (adapter.Task is { } task)
        {
            message.Task = (uint)task;
        }

        return message;
    }

    public static Proto.Usage ToMessage(Usage usage) => new()
    {
        PromptTokens = (uint)usage.PromptTokens,
        CompletionTokens = (uint)usage.CompletionTokens,
        CachedPromptTokens = (uint)usage.CachedPromptTokens,
    };

    /// <summary>A token's log-probabilities; null where they were not asked for.</summary>
    public static Proto.TokenLogprobs? Logprobs(in GeneratedToken token, Tokenizer? tokenizer) =>
        float.IsNaN(token.LogProbability) ? null : Logprobs(new ScoredToken(token.TokenId, token.LogProbability, token.Top), tokenizer);

    /// <summary>A token's log-probability, absent where it is NaN, and those of the most likely at its place.</summary>
    public static Proto.TokenLogprobs Logprobs(in ScoredToken token, Tokenizer? tokenizer)
    {
        var message = new Proto.TokenLogprobs { Token = ToMessage(new TokenProbability(token.TokenId, token.LogProbability), tokenizer) };
        message.Top.AddRange(token.Top.Select(other => ToMessage(other, tokenizer)));
        return message;
    }

    public static Proto.Scored ToMessage(ScoredText score)
    {
        var message = new Proto.Scored { SumLogprob = score.Sum, Perplexity = score.Perplexity };
        message.TokenIds.AddRange(score.TokenIds.Select(id => (uint)id));
        message.TokenLogprobs.AddRange(score.LogProbabilities);
        return message;
    }

    private static Proto.ChatMessage ToMessage(CollectedChoice choice)
    {
        var message = new Proto.ChatMessage { Role = "assistant", Content = choice.Text };
        message.ToolCalls.AddRange(choice.Calls.Select(call => new Proto.ToolCall { Id = call.Id, Name = call.Name, ArgumentsJson = call.Arguments }));
        return message;
    }

    private static Proto.TokenProbability ToMessage(TokenProbability token, Tokenizer? tokenizer)
    {
        var message = new Proto.TokenProbability { TokenId = (uint)token.TokenId, Token = tokenizer?.TokenText(token.TokenId) ?? "" };
        if (!float.IsNaN(token.LogProbability))
        {
            message.Logprob = token.LogProbability;
        }

        return message;
    }
}
