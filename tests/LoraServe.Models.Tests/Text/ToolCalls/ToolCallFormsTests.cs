using LoraServe.Models.Text;
using LoraServe.Testing;
using LoraServe.Tokenization;

namespace LoraServe.Models.Tests.Text.ToolCalls;

/// <summary>Which form a template means.</summary>
public sealed class ToolCallFormsTests
{
    private const string Writes = "{% for c in m.tool_calls or [] %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}";

    [Theory]
    [InlineData("Qwen-Qwen3-0.6B.jinja", "hermes")]
    [InlineData("NousResearch-Hermes-3-Llama-3.1-8B-tool_use.jinja", "hermes")]
    [InlineData("meta-llama-Llama-3.1-8B-Instruct.jinja", "llama3")]
    [InlineData("google-gemma-2-2b-it.jinja", null)]
    [InlineData("smollm2-gguf.jinja", null)]
    public void ToolCalls_PublishedTemplate_IsItsForm(string template, string? form) =>
        Assert.Equal(form, Of(File.ReadAllText(Repository.Fixture($"chat/templates/{template}"))));

    [Theory]
    [InlineData("{% for m in messages %}{{ m.content }}{% endfor %}", null)]
    [InlineData("{% for m in messages %}{{ m.content }}" + Writes + "{% endfor %}", "hermes")]
    [InlineData("{% for m in messages %}{{ m.content }}{% endfor %}{% if tools %}Answer with <tool_call>.{% endif %}", "hermes")]
    [InlineData("{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>({{ c.function.arguments.x }})</tool_call>{% endfor %}{% endfor %}", null)]
    [InlineData("{% for m in messages %}{{ m.content.none.at_all }}{% endfor %}[TOOL_CALLS]", "mistral")]
    [InlineData("Write ```tool_code and {{ tools }}", "gemma")]
    public void ToolCalls_TemplateThatWritesOrSaysHow_IsThatForm(string template, string? form) => Assert.Equal(form, Of(template));

    [Fact]
    public void ToolCalls_TemplateThatOnlyShowsTools_IsTheFormOfTheVocabularysTokens()
    {
        Tokenizer tokenizer = Tokenizer.FromUtf8Json(
            """{"added_tokens": [{"id": 1, "content": "<|tool_call_start|>", "special": true}], "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}"""u8.ToArray(), "test");

        Assert.Equal("lfm2", Of("{{ tools }}{{ messages[0].content }}", tokenizer));
        Assert.Null(Of("{{ messages[0].content }}", tokenizer));
        Assert.Equal([1], FormSamples.Form("lfm2").TokensOf(tokenizer));
        Assert.Empty(FormSamples.Form("hermes").TokensOf(tokenizer));
    }

    [Fact]
    public void ToolCalls_TemplateForTools_Decides()
    {
        var templates = new ChatTemplates(ChatTemplates.Of("{{ messages[0].content }}").Sources.Add(ChatTemplates.ToolUseName, "{% for m in messages %}{{ m.content }}" + Writes + "{% endfor %}"));

        Assert.Equal("hermes", ChatFormat.Of(new ModelText("t", Templates: templates))!.ToolCalls?.Name);
    }

    private static string? Of(string template, Tokenizer? tokenizer = null) => ChatFormat.Of(new ModelText("t", tokenizer, ChatTemplates.Of(template)))!.ToolCalls?.Name;
}
