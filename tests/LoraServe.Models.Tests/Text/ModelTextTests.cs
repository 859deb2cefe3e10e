using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Models.Text;
using LoraServe.Templates;
using LoraServe.Testing;
using LoraServe.Tokenization;

namespace LoraServe.Models.Tests.Text;

public sealed class ModelTextTests : IDisposable
{
    private static readonly JsonElement s_tool = JsonElement.Parse("""{"type": "function", "function": {"name": "f"}}""");
    private static readonly object[] s_hi = [new Dictionary<string, object?> { ["role"] = "user", ["content"] = "hi" }];

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("""{"chat_template": "D"}""", "D", "D")]
    [InlineData("""{"chat_template": [{"name": "default", "template": "D"}, {"name": "tool_use", "template": "T"}, {"name": "rag", "template": "R"}]}""", "D", "T")]
    [InlineData("""{"chat_template": {"tool_use": "T", "default": "D"}}""", "D", "T")]
    [InlineData("""{"chat_template": [{"name": "default", "template": "D"}]}""", "D", "D")]
    public void NamedTemplates_AreChosenAsInTransformers(string config, string plain, string withTools)
    {
        File.WriteAllText(_folder.File("tokenizer_config.json"), config);

        Assert.Equal((plain, withTools), Rendered());
    }

    /// <summary>Arguments that are no JSON of which anything could be made stay the text that they are.</summary>
    [Theory]
    [InlineData(""" {"a": "\ud800"} """)]
    [InlineData(""" {"a": 1, "a": 2} """)]
    [InlineData(""" {"a": """)]
    public void ArgumentsOfToolCalls_ThatAreNoJson_StayText(string arguments)
    {
        File.WriteAllText(_folder.File("chat_template.jinja"), "{{ messages[0].tool_calls[0].function.arguments }}");
        var message = JsonSerializer.SerializeToElement(new { role = "assistant", tool_calls = new[] { new { function = new { name = "f", arguments } } } });

        Assert.Equal(arguments, ChatFormat.Of(ModelText.Read(_folder.Path))!.Render([message]));
    }

    [Fact]
    public void GgufWithoutACharacterMap_HasNone()
    {
        GgufWriter.Write(_folder.File("model.gguf"), [GgufEntry.Of("tokenizer.ggml.model", "t5"), GgufEntry.Of("tokenizer.ggml.tokens", ["<unk>", "a"])], []);
        using GgufFile file = GgufFile.Open(_folder.File("model.gguf"));

        Assert.Null(GgufVocabulary.Read(file, [])!.PrecompiledCharacterMap);
    }

    [Fact]
    public void TemplatesInFiles_CountAlone()
    {
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"chat_template": [{"name": "default", "template": "no"}, {"name": "tool_use", "template": "no"}]}""");
        File.WriteAllText(_folder.File("chat_template.jinja"), "D");
        Assert.Equal(("D", "D"), Rendered());

        Directory.CreateDirectory(_folder.File("additional_chat_templates"));
        File.WriteAllText(_folder.File("additional_chat_templates/tool_use.jinja"), "T");
        Assert.Equal(("D", "T"), Rendered());
    }

    [Fact]
    public void TemplatesWithoutADefault_AreNamedWhereOneIsNeeded()
    {
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"chat_template": [{"name": "tool_use", "template": "T"}, {"name": "rag", "template": "R"}]}""");
        ChatFormat format = ChatFormat.Of(ModelText.Read(_folder.Path))!;

        Assert.Equal("T", format.Render(s_hi, new[] { s_tool }));
        Assert.Contains("has the chat templates rag, tool_use and none called default", Assert.Throws<TemplateException>(() => format.Render(s_hi)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"bos_token": "<s>", "eos_token": {"content": "</s>"}}""", "{}")]
    [InlineData("{}", """{"bos_token": {"content": "<s>"}, "eos_token": "</s>"}""")]
    [InlineData("""{"bos_token": "<x>"}""", """{"bos_token": "<s>", "eos_token": "</s>"}""")]
    public void SpecialTokens_OfEitherFile_AreTheTemplates(string config, string map)
    {
        File.WriteAllText(_folder.File("tokenizer_config.json"), config);
        File.WriteAllText(_folder.File("special_tokens_map.json"), map);
        File.WriteAllText(_folder.File("chat_template.jinja"), "{{ bos_token }}|{{ eos_token }}");

        Assert.Equal("<s>|</s>", ChatFormat.Of(ModelText.Read(_folder.Path))!.Render(s_hi));
    }

    [Theory]
    [InlineData("{{ messages[0].tool_calls[0].function.arguments.x }}", """{"x": "é"}""", "é")]
    [InlineData("{{ messages[0].tool_calls[0].function.arguments.x }}", "\"{\\\"x\\\": \\\"é\\\"}\"", "é")]
    [InlineData("{{ 'A' + messages[0].tool_calls[0].function.arguments }}", """{"x": "é"}""", """A{"x":"é"}""")]
    [InlineData("{{ 'A' + messages[0].tool_calls[0].function.arguments }}", "\"{\\\"x\\\": 1.0}\"", """A{"x": 1.0}""")]
    [InlineData("{{ messages[0].tool_calls[0].function.arguments }}", "\"no json\"", "no json")]
    public void ArgumentsOfToolCalls_AreWhatTheTemplateTakes(string template, string arguments, string expected)
    {
        ChatFormat format = ChatFormat.Of(new ModelText("m", Templates: ChatTemplates.Of(template)))!;
        JsonElement message = JsonElement.Parse($$$"""{"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {{{arguments}}}}}]}""");

        Assert.Equal(expected, format.Render([message]));
        Assert.Equal(expected, format.Render([message.EnumerateObject().ToDictionary(field => field.Name, object? (field) => field.Value)]));
    }

    [Theory]
    [InlineData("{% for m in messages %}<t>{{ m.content }}<e>\n{% endfor %}", new[] { 2 })]
    [InlineData("{% for m in messages %}<t>{{ m.content }}</s>\n<x>{% endfor %}", new[] { 1 })]
    [InlineData("{% for m in messages %}### {{ m.content }}\n{% endfor %}", new int[0])]
    [InlineData("{% for m in messages %}<t>{{ m.content }}{% if m.tool_calls %}<x>{{ m.tool_calls[0].function.arguments.x }}</x><c>{% else %}<e>{% endif %}{% endfor %}", new[] { 2, 6 })]
    [InlineData("{% if messages | length < 3 %}{{ raise_exception('no') }}{% endif %}", new int[0])]
    [InlineData("{% oops", new int[0])]
    public void AnswerEnd_IsWhatFilesAndTemplateSay(string template, int[] closings)
    {
        File.WriteAllText(_folder.File("tokenizer.json"), """
            {"added_tokens": [{"id": 1, "content": "</s>", "special": true}, {"id": 2, "content": "<e>", "special": true}, {"id": 3, "content": "<t>", "special": true},
                {"id": 4, "content": "<x>", "special": true}, {"id": 5, "content": "</x>", "special": false}, {"id": 6, "content": "<c>", "special": true}, {"id": 7, "content": "\n", "special": false}],
             "model": {"type": "BPE", "vocab": {"x": 0}, "merges": []}}
            """);
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"eos_token": "</s>"}""");
        var text = new ModelText("m", Tokenizer.FromFile(_folder.File("tokenizer.json")), ChatTemplates.Of(template));

        var end = AnswerEnd.Of(text, [8], vocabularySize: 10);

        Assert.Equal(1, end.Token);
        Assert.Equal<int>([8, 1, .. closings.Except([1])], end.All.ToArray());
        Assert.Equal((8, "8"), (AnswerEnd.Of(text, [8], vocabularySize: 1).Token, string.Join(' ', AnswerEnd.Of(text with { Tokenizer = null }, [8], vocabularySize: 10).All)));
    }

    private (string Plain, string WithTools) Rendered()
    {
        ChatFormat format = ChatFormat.Of(ModelText.Read(_folder.Path))!;
        return (format.Render(s_hi), format.Render(s_hi, new[] { s_tool }));
    }
}
