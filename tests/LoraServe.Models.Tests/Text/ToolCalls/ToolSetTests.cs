using System.Text.Json;
using LoraServe.Models.Text.ToolCalls;

namespace LoraServe.Models.Tests.Text.ToolCalls;

public sealed class ToolSetTests
{
    [Fact]
    public void ToolSet_KnowsToolsInEitherForm()
    {
        var tools = new ToolSet(JsonElement.Parse("""
            [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"s": {"type": "string"}, "n": {"type": ["string", "null"]}}}}}, {"name": "g"}]
            """).EnumerateArray());

        Assert.Equal(["f", "g"], tools.Names);
        Assert.NotNull(tools.ParametersOf("f"));
        Assert.Null(tools.ParametersOf("g"));
        Assert.Equal((true, false, false, false), (tools.IsText("f", "s"), tools.IsText("f", "n"), tools.IsText("f", "x"), tools.IsText("h", "s")));
    }

    [Fact]
    public void ToolSet_StrangeTools_AreNone()
    {
        var tools = new ToolSet(JsonElement.Parse("""
            [1, null, [], "f", {}, {"name": 3}, {"name": "\ud800"}, {"\ud800ame": "x"}, {"function": {"nam\ud800": "y"}}, {"function": "z", "name": null}]
            """).EnumerateArray());

        Assert.Empty(tools.Names);
    }
}
