using Grpc.Core;
using LoraServe.Serving;
using LoraServe.Serving.Requests;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc.Inference;

/// <summary>An answer that is sent token by token.</summary>
internal static class AnswerStream
{
    /// <summary>Writes each token as it comes, and what it all cost at the end.</summary>
    public static async Task WriteAsync(ServedModel served, Generation generation, IServerStreamWriter<Proto.GenerateChunk> stream, CancellationToken cancellationToken)
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
