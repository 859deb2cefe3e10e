using Grpc.Core;
using LoraServe.Serving;
using LoraServe.Serving.Requests;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc.Inference;

/// <summary>An answer that is sent token by token.</summary>
internal static class AnswerStream
{
    /// <summary>Writes each token as it comes, and what it all cost at the end.</summary>
    /// <param name="served">What answers.</param>
    /// <param name="generation">The answer.</param>
    /// <param name="tools">The tools that it may call.</param>
    /// <param name="stream">Where to write.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public static async Task WriteAsync(ServedModel served, Generation generation, ToolUse tools, IServerStreamWriter<Proto.GenerateChunk> stream, CancellationToken cancellationToken)
    {
        var chunk = new Proto.GenerateChunk { RequestId = generation.RequestId, Model = served.Model.Name };
        chunk.Adapters.AddRange(generation.Adapters.Select(AnswerMapping.ToMessage));
        bool[] begun = new bool[generation.Choices];
        ChoiceReader[] readers = [.. begun.Select((_, choice) => tools.CreateReader(generation.RequestId, choice))];
        await foreach (GeneratedToken token in generation.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            BeginChoice(chunk, token.Choice, begun, served, generation);
            var delta = AnswerDelta.Of(readers[token.Choice].Read(token));
            chunk.Text += delta.Text;
            chunk.ToolCalls.AddRange(delta.Calls.Select(call => new Proto.ToolCallDelta { Index = (uint)call.Index, Id = call.Id, Name = call.Name, ArgumentsJson = call.Arguments }));
            chunk.TokenIds.Add((uint)token.TokenId);
            chunk.FinishReason = AnswerMapping.ToMessage(token.Finish, readers[token.Choice].EndsInCalls);
            if (AnswerMapping.Logprobs(token, served.Model.Tokenizer) is { } logprobs)
            {
                chunk.Logprobs.Add(logprobs);
            }

            await stream.WriteAsync(chunk, cancellationToken).ConfigureAwait(false);
            chunk = new Proto.GenerateChunk { RequestId = generation.RequestId };
        }

        // Where no token was to be generated, the prompt is all that an answer has.
        for (int choice = 0; choice < begun.Length; choice++)
        {
            if (!begun[choice])
            {
                BeginChoice(chunk, choice, begun, served, generation);
                chunk.FinishReason = Proto.FinishReason.Length;
                await stream.WriteAsync(chunk, cancellationToken).ConfigureAwait(false);
                chunk = new Proto.GenerateChunk { RequestId = generation.RequestId };
            }
        }

        chunk.Usage = AnswerMapping.ToMessage(generation.Usage);
        await stream.WriteAsync(chunk, cancellationToken).ConfigureAwait(false);
    }

    private static void BeginChoice(Proto.GenerateChunk chunk, int choice, bool[] begun, ServedModel served, Generation generation)
    {
        chunk.Index = (uint)choice;
        if (!begun[choice] && generation.Echo is { } echo)
        {
            chunk.Text = echo.Text;
            if (Array.TrueForAll(begun, other => !other))
            {
                chunk.PromptLogprobs.AddRange(echo.Tokens.Select(token => AnswerMapping.Logprobs(token, served.Model.Tokenizer)));
            }
        }

        begun[choice] = true;
    }
}
