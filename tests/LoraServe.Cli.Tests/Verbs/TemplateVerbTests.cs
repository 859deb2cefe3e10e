using System.Text.Json;

namespace LoraServe.Cli.Tests.Verbs;

public sealed class TemplateVerbTests(TinyFiles files) : IClassFixture<TinyFiles>
{
    [Fact]
    public async Task Cases_GiveATextOrAnErrorEach()
    {
        string cases = files.Write("cases.jsonl", """
            {"messages": [{"role": "user", "content": "Grüß"}], "tools": null, "add_generation_prompt": true, "bos_token": "", "eos_token": "", "extra": {}}
            not JSON
            """);

        JsonElement[] lines = (await CommandRun.SuccessAsync("template", "--model", files.Model, "--cases", cases)).JsonLines;

        Assert.Equal("[user]Grüß", lines[0].GetProperty("text").GetString());
        Assert.NotEmpty(lines[1].GetProperty("error").GetString()!);
    }

    [Fact]
    public async Task Template_OfAFile_IsUsed()
    {
        string template = files.Write("greeting.jinja", "Hello {{ messages[0].content }}{{ raise_exception('no') if tools }}");
        string cases = files.Write("greeting.jsonl", """{"messages": [{"role": "user", "content": "you"}]}""");

        CommandRun run = await CommandRun.SuccessAsync("template", "--template", template, "--cases", cases);

        Assert.Equal("Hello you", run.Json.GetProperty("text").GetString());
    }

    [Fact]
    public async Task Template_AndModelBoth_AreRefused() =>
        Assert.Contains("--template", await CommandRun.MisuseAsync("template", "--model", "a", "--template", "b", "--cases", "c"), StringComparison.Ordinal);
}
