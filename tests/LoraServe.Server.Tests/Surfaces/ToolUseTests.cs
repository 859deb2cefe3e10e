using System.Text.Json;
using LoraServe.Models.Text;
using LoraServe.Server.Surfaces;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Tests.Surfaces;

public sealed class ToolUseTests
{
    private const string Call = """<tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>""";

    private static readonly JsonElement[] s_tools = [JsonElement.Parse("""{"type": "function", "function": {"name": "f"}}""")];

    private static readonly ChatFormat s_chat = ChatFormat.Of(new ModelText("t", Templates: ChatTemplates.Of(
        "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}{% endfor %}")))!;

    [Theory]
    [InlineData("", true)]
    [InlineData("auto", true)]
    [InlineData("none", false)]
    public void Of_Choice_ShowsToolsOrHidesThem(string choice, bool areShown)
    {
        ToolUse tools = ToolUse.Of(s_tools, choice, s_chat, mayBeSeveral: true);

        Assert.Equal(areShown ? 1 : 0, tools.Shown.Count);
        CollectedChoice answer = Answer(tools, FinishReason.Stop, "Yes. ", Call);
        Assert.Equal(areShown ? ("Yes.", 1, true) : ("Yes. " + Call, 0, false), (answer.Text, answer.Calls.Count, answer.EndsInCalls));
    }

    [Theory]
    [InlineData("g", EngineError.InvalidRequest)]
    [InlineData("AUTO", EngineError.InvalidRequest)]
    public void Of_UnknownChoice_IsRefused(string choice, EngineError error) =>
        Assert.Equal(error, Assert.Throws<EngineException>(() => ToolUse.Of(s_tools, choice, s_chat, mayBeSeveral: true)).Error);

    [Fact]
    public void Apply_ForcedCall_TakesThePlaceOfWhatElseWasAsked()
    {
        var asked = new GenerationRequest { Prompt = "", Sampling = new SamplingOptions { Constraint = Constraint.JsonObject } };

        Assert.Equal(Constraint.JsonObject, ToolUse.Of(s_tools, "auto", s_chat, mayBeSeveral: true).Apply(asked, null).Sampling.Constraint);
        Constraint forced = ToolUse.Of(s_tools, "f", s_chat, mayBeSeveral: true).Apply(asked, null).Sampling.Constraint!;
        Assert.Equal((ConstraintKind.Grammar, "tool_choice"), (forced.Kind, forced.Field));
        Assert.NotEqual(forced.Texts[0], ToolUse.Of(s_tools, "required", s_chat, mayBeSeveral: true).Apply(asked, null).Sampling.Constraint!.Texts[0]);
        Assert.Equal(forced.Texts[0], ToolUse.Of(s_tools, "required", s_chat, mayBeSeveral: false).Apply(asked, null).Sampling.Constraint!.Texts[0]);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("")]
    [InlineData("<tool_call>")]
    public void Of_ForcedToolWithAnOddName_IsRefused(string name)
    {
        JsonElement[] tools = [JsonSerializer.SerializeToElement(new { type = "function", function = new { name } })];

        Assert.Contains("cannot force a call", Assert.Throws<EngineException>(() => ToolUse.Of(tools, "required", s_chat, mayBeSeveral: true)).Message, StringComparison.Ordinal);
        Assert.Single(ToolUse.Of(tools, "auto", s_chat, mayBeSeveral: true).Shown);
    }

    [Fact]
    public void Read_WithoutAKnownForm_IsTextAsItComes()
    {
        ChatFormat plain = ChatFormat.Of(new ModelText("t", Templates: ChatTemplates.Of("{{ messages[0].content }}")))!;

        CollectedChoice answer = Answer(ToolUse.Of(s_tools, "", plain, mayBeSeveral: true), FinishReason.Stop, " ", Call, " ");
        Assert.Equal((" " + Call + " ", false), (answer.Text, answer.EndsInCalls));
    }

    [Fact]
    public void Read_CallThatBreaksOff_IsTextAndTheAnswerDoesNotEndInCalls()
    {
        CollectedChoice answer = Answer(ToolUse.Of(s_tools, "", s_chat, mayBeSeveral: true), FinishReason.Stop, Call, Call[..40]);

        Assert.Equal((Call[..40], 1, false), (answer.Text, answer.Calls.Count, answer.EndsInCalls));
    }

    [Fact]
    public void Read_AnswerThatIsCutBehindACall_EndsByItsLength() =>
        Assert.False(Answer(ToolUse.Of(s_tools, "", s_chat, mayBeSeveral: true), FinishReason.Length, Call).EndsInCalls);

    private static CollectedChoice Answer(ToolUse tools, FinishReason finish, params string[] pieces) => new(
        "",
        [.. pieces.Select((piece, index) => new GeneratedToken { Text = piece, Finish = index == pieces.Length - 1 ? finish : FinishReason.None })],
        tools.CreateReader("id", 0));
}
