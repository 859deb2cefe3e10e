using System.Numerics.Tensors;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Fields;
using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Surfaces.OpenAi.Embeddings;

/// <summary><c>POST /v1/embeddings</c>: the last token's hidden state, as a vector of length 1.</summary>
internal sealed class EmbeddingEndpoint(ServedModel served)
{
    public async Task AnswerAsync(HttpContext context)
    {
        EmbeddingRequest message = await JsonBody.ReadAsync(context, OpenAiJson.Instance.EmbeddingRequest).ConfigureAwait(false);
        bool asBase64 = message.EncodingFormat switch
        {
            null or "float" => false,
            "base64" => true,
            _ => throw JsonMessage.Refusal("encoding_format can be 'float' or 'base64'.", "encoding_format"),
        };
        int width = served.Model.Transformer.Width;
        int dimensions = message.Dimensions switch
        {
            null => width,
            { } some when some >= 1 && some <= width => some,
            { } other => throw JsonMessage.Refusal($"dimensions is {other}; it can be 1 to {width}.", "dimensions"),
        };
        (IReadOnlyList<string> texts, IReadOnlyList<IReadOnlyList<int>> tokens) = FieldReading.TextsOrTokens(message.Input, "input");
        Principal caller = CallContext.CallerOf(context);
        string id = CallContext.RequestIdOf(context);
        var request = new EmbedRequest
        {
            Adapters = ModelNames.Adapters(message.Model, served, caller),
            Inputs = texts,
            InputTokens = tokens,
            Pooling = Pooling.Last,
            Normalize = true,
            RequestId = id,
            Principal = caller,
        };
        CallContext.Identify(context, id);
        EmbedResult result = await served.Engine.EmbedAsync(request, context.RequestAborted).ConfigureAwait(false);
        EmbeddingItem[] items = [.. result.Vectors.Select((vector, index) => new EmbeddingItem("embedding", index, new EmbeddingVector(First(vector, dimensions), asBase64)))];
        var usage = new EmbeddingUsage(result.Usage.PromptTokens, result.Usage.PromptTokens);
        await JsonAnswer.WriteAsync(
            context, new EmbeddingAnswer("list", items, message.Model!, usage, AnswerFields.Adapters(result.Adapters)), OpenAiJson.Instance.EmbeddingAnswer).ConfigureAwait(false);
    }

    private static ReadOnlyMemory<float> First(ReadOnlyMemory<float> vector, int dimensions)
    {
        if (dimensions == vector.Length)
        {
            return vector;
        }

        float[] first = vector[..dimensions].ToArray();
        float length = TensorPrimitives.Norm<float>(first);
        if (length > 0)
        {
            TensorPrimitives.Divide(first, length, first);
        }

        return first;
    }
}
