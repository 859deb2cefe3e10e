using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Tests.Requests;

public sealed class AdapterReferenceTests
{
    [Fact]
    public void ParseStack_NamesAndWeights_AreRead() =>
        Assert.Equal([new AdapterReference("style", 0.5f), new AdapterReference("support@3", -2)], AdapterReference.ParseStack("style:0.5 + support@3 : -2e0"));

    [Fact]
    public void ParseStack_Tasks_AreReadAndShown()
    {
        IReadOnlyList<AdapterReference> stack = AdapterReference.ParseStack("style#0:0.5+support@3#12");
        Assert.Equal([new AdapterReference("style", 0.5f, 0), new AdapterReference("support@3", 1, 12)], stack);
        Assert.Equal(["style#0:0.5", "support@3#12"], stack.Select(part => part.ToString()));
    }

    [Theory]
    [InlineData("a#")]
    [InlineData("a#x")]
    [InlineData("a#-1")]
    [InlineData("a# 1")]
    [InlineData("a#99999999999")]
    public void ParseStack_TaskThatIsNoNumber_IsRefused(string stack) =>
        Assert.Equal(EngineError.InvalidAdapterName, Assert.Throws<EngineException>(() => AdapterReference.ParseStack(stack)).Error);

    [Theory]
    [InlineData("snips-lora\n")]
    [InlineData("\tsnips-lora")]
    [InlineData("a+snips-lora\r")]
    [InlineData("snips-lora\n:1")]
    public async Task ParseStack_ControlCharactersAroundAName_StayAndAreRefused(string stack)
    {
        await using var harness = new EngineHarness();
        harness.Adapter("a", 1);
        harness.Adapter("snips-lora", 2);
        EngineException refusal = await Assert.ThrowsAsync<EngineException>(() => harness.Engine.GenerateAsync(EngineHarness.Request(1, 3, stack)));
        Assert.Equal(EngineError.InvalidAdapterName, refusal.Error);
    }

    [Theory]
    [InlineData("a:1\n")]
    [InlineData("a:\t1")]
    [InlineData("a:(1)")]
    [InlineData("a:")]
    public void ParseStack_NoNumber_IsRefused(string stack) =>
        Assert.Equal(EngineError.InvalidRequest, Assert.Throws<EngineException>(() => AdapterReference.ParseStack(stack)).Error);
}
