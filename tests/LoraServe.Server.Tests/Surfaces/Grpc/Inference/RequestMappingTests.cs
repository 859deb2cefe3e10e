using LoraServe.Adapters.Merging;
using LoraServe.Models.Text;
using LoraServe.Server.Surfaces;
using LoraServe.Server.Surfaces.Grpc.Inference;
using LoraServe.Serving.Requests;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Surfaces.Grpc.Inference;

public sealed class RequestMappingTests
{
    private static readonly RequestContext s_call = new(new Principal("alice", IsAdmin: false), deadline: null);

    [Fact]
    public void Generate_EveryField_IsCarried()
    {
        var until = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var call = new RequestContext(new Principal("alice", IsAdmin: false), until);

        GenerationRequest request = RequestMapping.ToDomain(
            new Proto.GenerateRequest
            {
                Adapter = "style:0.5+support@3",
                Prompt = "hello",
                Echo = true,
                Priority = -3,
                RequestId = "id",
                SkipSpecialTokensInPrompt = true,
                Sampling = new Proto.SamplingOptions { MaxTokens = 5 },
            },
            call);

        Assert.Equal([new AdapterReference("style", 0.5f), new AdapterReference("support@3")], request.Adapters);
        Assert.Equal(("hello", null), (request.Prompt, request.PromptTokens));
        Assert.Equal((true, -3, "id", false, 5), (request.Echo, request.Priority, request.RequestId, request.AddSpecialTokens, request.Sampling.MaxTokens));
        Assert.Equal(("alice", (DateTimeOffset?)until), (request.Tenant, request.Deadline));
    }

    [Fact]
    public void Generate_NoDeadlineAndNoAdapter_AreNone()
    {
        GenerationRequest request = RequestMapping.ToDomain(new Proto.GenerateRequest { PromptTokenIds = { 1, 2 } }, s_call);

        Assert.Null(request.Deadline);
        Assert.Empty(request.Adapters);
        Assert.Equal((null, true), (request.Prompt, request.AddSpecialTokens));
        Assert.Equal([1, 2], request.PromptTokens!);
    }

    [Fact]
    public void Generate_StructuredStack_KeepsOrderAndWeights()
    {
        var stack = new Proto.AdapterSelection { Stack = { new Proto.AdapterWeight { Name = "b" }, new Proto.AdapterWeight { Name = "a", Weight = 0 } } };

        GenerationRequest request = RequestMapping.ToDomain(new Proto.GenerateRequest { Prompt = "p", Adapters = stack }, s_call);

        Assert.Equal([new AdapterReference("b"), new AdapterReference("a", 0)], request.Adapters);
    }

    [Fact]
    public void Requests_WithACombination_CarryItInEitherForm()
    {
        var combination = new Proto.Combination { Method = "dare_ties_svd", Density = 0.5f, Rank = 3, MajoritySignMethod = "frequency", Seed = 7 };
        var named = new Proto.AdapterSelection { Combination = combination };
        var expected = new CombinationOptions { Method = CombinationMethod.DareTiesSvd, Density = 0.5f, Rank = 3, ElectByFrequency = true, Seed = 7 };

        GenerationRequest generation = RequestMapping.ToDomain(new Proto.GenerateRequest { Prompt = "p", Adapter = "a:0.5+b", Adapters = named }, s_call);
        Assert.Equal((expected, 2), (generation.Combination, generation.Adapters.Count));
        Assert.Equal(expected, RequestMapping.ToDomain(new Proto.ScoreRequest { Prompt = "p", Adapters = named }, s_call).Combination);
        Assert.Equal(expected, RequestMapping.ToDomain(new Proto.EmbedRequest { Adapters = named }, s_call).Combination);
        Assert.Null(RequestMapping.ToDomain(new Proto.GenerateRequest { Prompt = "p", Adapter = "a" }, s_call).Combination);
        Refused("method is 'mean'; expected one of linear, cat", () => Asked(new Proto.Combination { Method = "mean" }));
        Refused("method is ''", () => Asked(new Proto.Combination()));
        Refused("majority_sign_method is 'most'; expected total or frequency", () => Asked(new Proto.Combination { Method = "ties", MajoritySignMethod = "most" }));
        Refused("rank is 4294967295", () => Asked(new Proto.Combination { Method = "svd", Rank = uint.MaxValue }));
        Refused("seed is 4294967295", () => Asked(new Proto.Combination { Method = "svd", Seed = uint.MaxValue }));

        object Asked(Proto.Combination asked) => RequestMapping.ToDomain(new Proto.GenerateRequest { Adapters = new Proto.AdapterSelection { Combination = asked } }, s_call);
    }

    [Fact]
    public void Requests_ForATask_CarryItInEitherForm()
    {
        var stack = new Proto.AdapterSelection { Stack = { new Proto.AdapterWeight { Name = "a@3#2" }, new Proto.AdapterWeight { Name = "b", Weight = 0.5f } } };
        AdapterReference[] expected = [new AdapterReference("a@3", 1, 2), new AdapterReference("b", 0.5f)];

        Assert.Equal(expected, RequestMapping.ToDomain(new Proto.GenerateRequest { Prompt = "p", Adapters = stack }, s_call).Adapters);
        Assert.Equal(expected, RequestMapping.ToDomain(new Proto.ScoreRequest { Prompt = "p", Adapter = "a@3#2+b:0.5" }, s_call).Adapters);
    }

    [Fact]
    public void Requests_WithTwoFormsOfOneThing_NameBothFields()
    {
        var stack = new Proto.AdapterSelection { Stack = { new Proto.AdapterWeight { Name = "a" } } };

        Refused("prompt and prompt_token_ids", () => RequestMapping.ToDomain(new Proto.GenerateRequest { Prompt = "p", PromptTokenIds = { 1 } }, s_call));
        Refused("prompt and prompt_token_ids", () => RequestMapping.ToDomain(new Proto.ScoreRequest { Prompt = "p", PromptTokenIds = { 1 } }, s_call));
        Refused("adapter and adapters", () => RequestMapping.ToDomain(new Proto.GenerateRequest { Prompt = "p", Adapter = "a", Adapters = stack }, s_call));
        Refused("adapter and adapters", () => RequestMapping.ToDomain(new Proto.EmbedRequest { Adapter = "a", Adapters = stack }, s_call));
    }

    [Fact]
    public void Requests_WithTokensThatNoIntegerHolds_NameTheField()
    {
        Refused("prompt_token_ids", () => RequestMapping.ToDomain(new Proto.GenerateRequest { PromptTokenIds = { uint.MaxValue } }, s_call));
        Refused("continuation_token_ids", () => RequestMapping.ToDomain(new Proto.ScoreRequest { ContinuationTokenIds = { new Proto.TokenIds { Ids = { uint.MaxValue } } } }, s_call));
    }

    [Fact]
    public void Chat_WithoutMessagesOrTemplate_IsRefused()
    {
        EngineException empty = Assert.Throws<EngineException>(() => RequestMapping.ToDomain(new Proto.ChatRequest(), [], chat: null, ToolUse.Nothing, s_call));
        EngineException noTemplate = Assert.Throws<EngineException>(
            () => RequestMapping.ToDomain(new Proto.ChatRequest { Messages = { new Proto.ChatMessage { Role = "user" } } }, [], chat: null, ToolUse.Nothing, s_call));

        Assert.Equal((EngineError.EmptyPrompt, EngineError.Unsupported), (empty.Error, noTemplate.Error));
    }

    [Fact]
    public void Chat_CallsAndResults_AreWhatTheTemplateReads()
    {
        const string Template = "{% for m in messages %}{{ m.role }}"
            + "{% for c in m.tool_calls or [] %}<{{ c.id }} {{ c.function.name }} {{ c.function.arguments.x }}>{% endfor %}{{ m.tool_call_id }}/{{ m.name }};{% endfor %}";
        ChatFormat chat = ChatFormat.Of(new ModelText("t", Templates: ChatTemplates.Of(Template)))!;
        var message = new Proto.ChatRequest
        {
            Messages =
            {
                new Proto.ChatMessage { Role = "assistant", ToolCalls = { new Proto.ToolCall { Id = "1", Name = "f", ArgumentsJson = "{\"x\": 5}" } } },
                new Proto.ChatMessage { Role = "tool", ToolCallId = "1" },
                new Proto.ChatMessage { Role = "tool", ToolCallId = "2" },
            },
        };

        Assert.Equal("assistant<1 f 5>/;tool1/f;tool2/;", RequestMapping.ToDomain(message, [], chat, ToolUse.Nothing, s_call).Prompt);

        message.Messages[0].ToolCalls[0].ArgumentsJson = "[1]";
        Refused("messages[0].tool_calls[0].arguments_json", () => RequestMapping.ToDomain(message, [], chat, ToolUse.Nothing, s_call));
        message.Messages[0].ToolCalls[0] = new Proto.ToolCall { Id = "1" };
        Refused("messages[0].tool_calls[0].name", () => RequestMapping.ToDomain(message, [], chat, ToolUse.Nothing, s_call));
        message.Messages[0].ToolCalls[0].Name = "f";
        message.Messages[0].Extra = Google.Protobuf.WellKnownTypes.Struct.Parser.ParseJson("{\"tool_calls\": []}");
        Refused("both as a field and in extra", () => RequestMapping.ToDomain(message, [], chat, ToolUse.Nothing, s_call));
    }

    [Fact]
    public void Score_EveryField_IsCarried()
    {
        ScoreRequest request = RequestMapping.ToDomain(
            new Proto.ScoreRequest { Adapter = "a", Prompt = "p", Continuations = { "x", "y" }, ContinuationTokenIds = { new Proto.TokenIds { Ids = { 1, 2 } } }, RequestId = "id" },
            s_call);

        Assert.Equal(("p", "id", "alice"), (request.Prompt, request.RequestId, request.Tenant));
        Assert.Equal(["x", "y"], request.Continuations);
        Assert.Equal([1, 2], Assert.Single(request.ContinuationTokens));
    }

    [Theory]
    [InlineData(Proto.Pooling.Mean, Pooling.Mean)]
    [InlineData(Proto.Pooling.Last, Pooling.Last)]
    [InlineData((Proto.Pooling)7, Pooling.Last)]
    public void Embed_EveryField_IsCarried(Proto.Pooling pooling, Pooling expected)
    {
        EmbedRequest request = RequestMapping.ToDomain(new Proto.EmbedRequest { Input = { "x", "y" }, Pooling = pooling, Normalize = true }, s_call);

        Assert.Equal(["x", "y"], request.Inputs);
        Assert.Equal((expected, true, "alice"), (request.Pooling, request.Normalize, request.Tenant));
    }

    private static void Refused(string fields, Func<object> map)
    {
        EngineException refusal = Assert.Throws<EngineException>(map);
        Assert.Equal(EngineError.InvalidRequest, refusal.Error);
        Assert.Contains(fields, refusal.Message, StringComparison.Ordinal);
    }
}
