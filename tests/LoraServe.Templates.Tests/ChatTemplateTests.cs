using System.Text.Json;

namespace LoraServe.Templates.Tests;

public sealed class ChatTemplateTests
{
    [Fact]
    public void Render_Messages_GivesTheTemplateTheServersFields()
    {
        ChatTemplate template = ChatTemplate.Parse(
            "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ m.tool_calls }}{% endfor %}"
            + "{% if add_generation_prompt %}<assistant>{% endif %}{{ tools }}{{ thinking }}", "test");
        string text = template.Render(
            [new ChatMessage("user", "hi"), new ChatMessage("assistant", "") { ToolCalls = JsonDocument.Parse("[1.0]").RootElement }],
            new ChatTemplateOptions { BosToken = "<s>", Extra = new Dictionary<string, object?> { ["thinking"] = true } });
        Assert.Equal("<s><user>hi<assistant>[1.0]<assistant>NoneTrue", text);
    }

    [Fact]
    public void Render_RaiseException_GivesExactlyTheTemplatesMessage()
    {
        TemplateException error = Assert.Throws<TemplateException>(() => Render("\n{{ raise_exception('No ' ~ 1.0) }}"));
        Assert.True(error.RaisedByTemplate);
        Assert.Equal("No 1.0", error.Message);
        Assert.Equal(2, error.Line);
    }

    [Theory]
    [InlineData("a\nb\n{{ x.y }}", 3, "'x' is undefined")]
    [InlineData("{% if %}", 1, "Expected an expression, got 'end of statement block'")]
    [InlineData("\n{% for x in y %}", 2, "Unexpected end of template. Jinja was looking for 'endfor' or 'else' to close 'for'.")]
    [InlineData("{{ 'a' + 1 }}", 1, "can only concatenate str (not \"int\") to str")]
    [InlineData("{{ x|nope }}", 1, "No filter named 'nope'.")]
    public void Render_Failure_NamesTemplateLineAndReason(string source, int line, string reason)
    {
        TemplateException error = Assert.Throws<TemplateException>(() => Render(source));
        Assert.False(error.RaisedByTemplate);
        Assert.Equal(line, error.Line);
        Assert.Equal($"Template test, line {line}: {reason}", error.Message);
    }

    [Fact]
    public void RenderCase_Malformed_FailsWithTemplateException()
    {
        ChatTemplate template = ChatTemplate.Parse("{{ messages }}", "test");
        foreach (string row in (string[])["[]", "{\"extra\":1}", "{\"now\":\"soon\"}", "{\"context\":[]}", "{\"messages\":\"\\ud800\"}"])
        {
            Assert.Throws<TemplateException>(() => template.RenderCase(JsonDocument.Parse(row).RootElement));
        }
    }

    [Fact]
    public void Render_ManyThreads_GiveTheSameText()
    {
        ChatTemplate template = ChatTemplate.Parse("{% set ns = namespace(n=0) %}{% for i in range(500) %}{% set ns.n = ns.n + k %}{% endfor %}{{ ns.n }}", "test");
        string[] texts = new string[64];
        Parallel.For(0, texts.Length, i => texts[i] = template.Render(new Dictionary<string, object?> { ["k"] = i }));
        Assert.Equal(Enumerable.Range(0, 64).Select(i => $"{500 * i}"), texts);
    }

    private static string Render(string source) => ChatTemplate.Parse(source, "test").Render(new Dictionary<string, object?>());
}
