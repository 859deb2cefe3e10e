using Grpc.Core;
using LoraServe.Compute.Machine;
using LoraServe.Models;
using LoraServe.Models.Text;
using LoraServe.Serving;
using LoraServe.Serving.Requests;
using LoraServe.Tokenization;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc.Inference;

/// <summary>The service <c>loraserve.v1.Inference</c>: maps, says who asks, delegates to the engine.</summary>
internal sealed class InferenceService(ServedModel served) : Proto.Inference.InferenceBase
{
    private static readonly string s_version = typeof(InferenceService).Assembly.GetName().Version?.ToString(fieldCount: 3) ?? "";

    public override async Task<Proto.GenerateResponse> Generate(Proto.GenerateRequest request, ServerCallContext context)
    {
        Generation generation = await BeginAsync(RequestMapping.ToDomain(request, CallOf(context)), context).ConfigureAwait(false);
        return AnswerMapping.ToMessage(await CollectedAnswer.OfAsync(generation, context.CancellationToken).ConfigureAwait(false), served.Model, asMessages: false);
    }

    public override async Task GenerateStream(Proto.GenerateRequest request, IServerStreamWriter<Proto.GenerateChunk> responseStream, ServerCallContext context)
    {
        Generation generation = await BeginAsync(RequestMapping.ToDomain(request, CallOf(context)), context).ConfigureAwait(false);
        await AnswerStream.WriteAsync(served, generation, ToolUse.Nothing, responseStream, context.CancellationToken).ConfigureAwait(false);
    }

    public override async Task<Proto.GenerateResponse> Chat(Proto.ChatRequest request, ServerCallContext context)
    {
        (GenerationRequest asked, ToolUse tools) = await ConversationAsync(request, context).ConfigureAwait(false);
        Generation generation = await BeginAsync(asked, context).ConfigureAwait(false);
        return AnswerMapping.ToMessage(await CollectedAnswer.OfAsync(generation, tools, context.CancellationToken).ConfigureAwait(false), served.Model, asMessages: true);
    }

    public override async Task ChatStream(Proto.ChatRequest request, IServerStreamWriter<Proto.GenerateChunk> responseStream, ServerCallContext context)
    {
        (GenerationRequest asked, ToolUse tools) = await ConversationAsync(request, context).ConfigureAwait(false);
        Generation generation = await BeginAsync(asked, context).ConfigureAwait(false);
        await AnswerStream.WriteAsync(served, generation, tools, responseStream, context.CancellationToken).ConfigureAwait(false);
    }

    public override async Task<Proto.ScoreResponse> Score(Proto.ScoreRequest request, ServerCallContext context)
    {
        ScoreResult result = await served.Engine.ScoreAsync(Named(RequestMapping.ToDomain(request, CallOf(context)), context), context.CancellationToken).ConfigureAwait(false);
        CallOf(context).RequestId = result.RequestId;
        var response = new Proto.ScoreResponse { RequestId = result.RequestId, Model = served.Model.Name };
        response.Adapters.AddRange(result.Adapters.Select(AnswerMapping.ToMessage));
        response.Scores.AddRange(result.Scores.Select(AnswerMapping.ToMessage));
        return response;
    }

    public override async Task<Proto.EmbedResponse> Embed(Proto.EmbedRequest request, ServerCallContext context)
    {
        EmbedResult result = await served.Engine.EmbedAsync(Named(RequestMapping.ToDomain(request, CallOf(context)), context), context.CancellationToken).ConfigureAwait(false);
        CallOf(context).RequestId = result.RequestId;
        var response = new Proto.EmbedResponse { RequestId = result.RequestId, Model = served.Model.Name, Usage = AnswerMapping.ToMessage(result.Usage) };
        response.Adapters.AddRange(result.Adapters.Select(AnswerMapping.ToMessage));
        response.Embeddings.AddRange(result.Vectors.Select((vector, index) =>
        {
            var message = new Proto.Embedding { Index = (uint)index };
            message.Values.AddRange(vector.ToArray());
            return message;
        }));
        return response;
    }

    public override Task<Proto.TokenizeResponse> Tokenize(Proto.TokenizeRequest request, ServerCallContext context)
    {
        Tokenizer tokenizer = served.Model.Tokenizer
            ?? throw new EngineException(EngineError.Unsupported, "The model has no tokenizer. Send token ids instead of text.");
        if (request.Text.Length > 0 && request.Messages.Count > 0)
        {
            throw new EngineException(EngineError.InvalidRequest, "Both text and messages are set; send one of them.");
        }

        string text = request.Messages.Count == 0 ? request.Text : RequestMapping.Render(request.Messages, ToolUse.Nothing, null, served.Chat);
        int[] ids = served.Engine.Tokenize(text, request.AddSpecialTokens && request.Messages.Count == 0);
        var response = new Proto.TokenizeResponse { Text = text, TokenIds = { Capacity = ids.Length }, Tokens = { Capacity = ids.Length } };
        response.TokenIds.AddRange(ids.Select(id => (uint)id));
        response.Tokens.AddRange(ids.Select(id => tokenizer.TokenText(id) ?? ""));
        return Task.FromResult(response);
    }

    public override Task<Proto.ModelInfoResponse> ModelInfo(Proto.ModelInfoRequest request, ServerCallContext context)
    {
        Transformer model = served.Model.Transformer;
        return Task.FromResult(new Proto.ModelInfoResponse
        {
            Model = served.Model.Name,
            Architecture = model.Spec.Architecture,
            ContextLength = (uint)model.Spec.ContextLength,
            VocabularySize = (uint)model.VocabularySize,
            Layers = (uint)model.LayerCount,
            Width = (uint)model.Width,
            WeightBytes = (ulong)model.ByteLength,
            Arithmetic = model.Arithmetic.ToString().ToLowerInvariant(),
            Kernels = InstructionSet.Name,
            Fingerprint = model.Fingerprint,
            HasChatTemplate = served.Chat is not null,
            ServerVersion = s_version,
            Device = model.Device,
            BatchInvariant = model.IsBatchInvariant,
            ToolCalls = served.Chat?.ToolCalls?.Name ?? "",
        });
    }

    private async Task<(GenerationRequest Request, ToolUse Tools)> ConversationAsync(Proto.ChatRequest request, ServerCallContext context)
    {
        RequestContext call = CallOf(context);
        IReadOnlyList<AdapterReference> asked = RequestMapping.Adapters(request);
        (IReadOnlyList<AdapterReference> adapters, ModelText? text) = await served.Engine.Adapters.TextOfAsync(call.Caller, asked, context.CancellationToken).ConfigureAwait(false);
        ChatFormat? chat = served.FormatOf(text);
        ToolUse tools = ToolUse.Of(RequestMapping.Tools(request), request.ToolChoice, chat, mayBeSeveral: true);
        return (tools.Apply(RequestMapping.ToDomain(request, adapters, chat, tools, call), served.Model.Tokenizer), tools);
    }

    private async Task<Generation> BeginAsync(GenerationRequest request, ServerCallContext context)
    {
        Generation generation = await served.Engine.GenerateAsync(Named(request, context), context.CancellationToken).ConfigureAwait(false);
        CallOf(context).RequestId = generation.RequestId;
        return generation;
    }

    private static TRequest Named<TRequest>(TRequest request, ServerCallContext context)
        where TRequest : RequestOptions
    {
        CallOf(context).RequestId = request.RequestId ?? "";
        return request;
    }

    private static RequestContext CallOf(ServerCallContext context) => RequestContext.Of(context.UserState!);
}
