using System.Text;
using Grpc.Core;
using LoraServe.Serving;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Inference;

/// <summary>Turns what the engine generates into answers: whole, or token by token.</summary>
internal static class Answers
{
    /// <summary>Waits for all choices.</summary>
    /// <param name="served">The model.</param>
    /// <param name="generation">What is generated.</param>
    /// <param name="asMessages">Whether each choice is also an assistant's message.</param>
    /// <param name="cancellationToken">The caller went away.</param>
    public static async Task<Proto.GenerateResponse> CollectAsync(ServedModel served, Generation generation, bool asMessages, CancellationToken cancellationToken)
    {
        var response = new Proto.GenerateResponse { RequestId = generation.RequestId, Model = served.Model.Name };
        response.Adapters.AddRange(generation.Adapters.Select(AnswerMapping.ToMessage));
        var texts = new List<StringBuilder>();
        await foreach (GeneratedToken token in generation.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            while (response.Choices.Count <= token.Choice)
            {
                response.Choices.Add(new Proto.Choice { Index = (uint)response.Choices.Count });
                texts.Add(new StringBuilder());
            }

            Proto.Choice choice = response.Choices[token.Choice];
            texts[token.Choice].Append(token.Text);
            choice.TokenIds.Add((uint)token.TokenId);
            choice.FinishReason = AnswerMapping.ToMessage(token.Finish);
            if (AnswerMapping.Logprobs(token, served.Model.Tokenizer) is { } logprobs)
            {
                choice.Logprobs.Add(logprobs);
            }
        }

        foreach ((Proto.Choice choice, StringBuilder text) in response.Choices.Zip(texts))
        {
            choice.Text = text.ToString();
            choice.Message = asMessages ? new Proto.ChatMessage { Role = "assistant", Content = choice.Text } : null;
        }

        response.Usage = AnswerMapping.ToMessage(generation.Usage);
        return response;
    }

    /// <summary>Writes each token as it comes, and what it all cost at the end.</summary>
    public static async Task StreamAsync(ServedModel served, Generation generation, IServerStreamWriter<Proto.GenerateChunk> stream, CancellationToken cancellationToken)
    {
        var chunk = new Proto.GenerateChunk { RequestId = generation.RequestId, Model = served.Model.Name };
        chunk.Adapters.AddRange(generation.Adapters.Select(AnswerMapping.ToMessage));
        await foreach (GeneratedToken token in generation.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            chunk.Index = (uint)token.Choice;
            chunk.Text = token.Text;
            chunk.TokenIds.Add((uint)token.TokenId);
            chunk.FinishReason = AnswerMapping.ToMessage(token.Finish);
            if (AnswerMapping.Logprobs(token, served.Model.Tokenizer) is { } logprobs)
            {
                chunk.Logprobs.Add(logprobs);
            }

            await stream.WriteAsync(chunk, cancellationToken).ConfigureAwait(false);
            chunk = new Proto.GenerateChunk { RequestId = generation.RequestId };
        }

        chunk.Usage = AnswerMapping.ToMessage(generation.Usage);
        await stream.WriteAsync(chunk, cancellationToken).ConfigureAwait(false);
    }
}
