using System.Text.Json;
using System.Text.RegularExpressions;
using LoraServe.Models.Text;
using LoraServe.Models.Text.ToolCalls;
using LoraServe.Templates;
using LoraServe.Testing;

namespace LoraServe.Models.Tests.Text.ToolCalls;

/// <summary>Each template writes calls into a conversation; read as an answer, these are the same calls.</summary>
public sealed partial class RoundTripTests
{
    private const string Said = "Calling.";

    /// <summary>Templates that write calls as turns of their own, or such that no text tells them from what is said.</summary>
    private static readonly string[] s_unread =
    [
        "GigaChat3-10B-A1.8B.jinja", "Kimi-K3.jinja", "MiniMax-M3.jinja", "meetkai-functionary-medium-v3.2.jinja", "muse-glimmer.jinja", "openai-gpt-oss-120b.jinja",
    ];

    /// <summary>Templates that write texts into Python without escaping what they hold.</summary>
    private static readonly string[] s_unescaped = ["LFM2.5-8B-A1B.jinja"];

    private static readonly JsonElement s_tools = JsonElement.Parse("""
        [{"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": {"type": "object",
            "properties": {"location": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}}, "required": ["location"]}}},
         {"type": "function", "function": {"name": "add", "description": "Adds", "parameters": {"type": "object",
            "properties": {"a": {"type": "number"}, "b": {"type": "integer"}, "yes": {"type": "boolean"}, "tags": {"type": "array", "items": {"type": "string"}}, "more": {"type": "object"}}}}},
         {"type": "function", "function": {"name": "now", "description": "Time", "parameters": {"type": "object", "properties": {}}}}]
        """);

    private static readonly (string Name, string Arguments)[] s_calls =
    [
        ("get_weather", """{"location": "Paris", "unit": "celsius"}"""),
        ("add", """{"a": 1.5, "b": -3, "yes": true, "tags": ["x", "é", "<y>"], "more": {"deep": [1, {"er": "ünd"}]}}"""),
        ("get_weather", """{"location": "42"}"""),
        ("get_weather", """{"location": "Saint-Émilion; {\"a\": [1, 2]}, 'x' \\ y"}"""),
        ("now", "{}"),
    ];

    public static TheoryData<string> Shared => new(SharedFiles.Cases(SharedFiles.FileNames("fixtures/chat/templates", "*.jinja")));

    public static TheoryData<string> Committed => new(Directory.GetFiles(Repository.Fixture("chat/templates"), "*.jinja").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));

    [SkippableTheory]
    [MemberData(nameof(Shared))]
    public void Read_WhatASharedTemplateWrites_AreTheSameCalls(string template) => Check(SharedFiles.Require($"fixtures/chat/templates/{template}"));

    [Theory]
    [MemberData(nameof(Committed))]
    public void Read_WhatACommittedTemplateWrites_AreTheSameCalls(string template) => Check(Repository.Fixture($"chat/templates/{template}"));

    // Thoughts, and what closes a turn, are text as they stand.
    [GeneratedRegex("<[^<>]*>")]
    private static partial Regex Tags();

    private static void Check(string path)
    {
        ChatFormat format = ChatFormat.Of(new ModelText("t", Templates: ChatTemplates.Of(File.ReadAllText(path))) { BeginTokenText = "<s>", EndTokenText = "</s>" })!;
        if (s_unread.Contains(Path.GetFileName(path)))
        {
            Assert.Null(format.ToolCalls);
            return;
        }

        var failures = new List<string>();
        foreach (bool isSaid in new[] { false, true })
        {
            (string, string Arguments)[] all = s_unescaped.Contains(Path.GetFileName(path)) ? [.. s_calls.Where(call => !call.Arguments.Contains('\'', StringComparison.Ordinal))] : s_calls;
            foreach ((string, string)[] calls in all.Select(call => new[] { call }).Append(all))
            {
                CheckCalls(format, calls, isSaid ? Said : "", failures);
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    private static void CheckCalls(ChatFormat format, (string Name, string Arguments)[] calls, string content, List<string> failures)
    {
        if (Written(format, calls, content) is not { } answer)
        {
            return;
        }

        if (format.ToolCalls is not { } form)
        {
            failures.Add($"no form for {JsonSerializer.Serialize(answer)}");
            return;
        }

        ReadAnswer read = ReadAnswer.Of(form, answer, new ToolSet(s_tools.EnumerateArray()));
        bool isSame = read.Broken.Count == 0
            && read.Calls.Select(call => call.Name).SequenceEqual(calls.Select(call => call.Name))
            && read.Calls.Zip(calls).All(pair => JsonElement.DeepEquals(JsonElement.Parse(pair.First.Arguments), JsonElement.Parse(pair.Second.Arguments)));
        if (!isSame || (Tags().Replace(read.Text, "").Trim() is var said && said != "" && (content == "" || !said.Contains(content, StringComparison.Ordinal))))
        {
            failures.Add($"{form.Name}: {JsonSerializer.Serialize(answer)}\nwas read as {JsonSerializer.Serialize(read)}");
        }
    }

    /// <summary>What the template writes as the assistant's answer, without what closes it; null where it does not write these calls.</summary>
    private static string? Written(ChatFormat format, (string Name, string Arguments)[] calls, string content)
    {
        var question = new Dictionary<string, object?> { ["role"] = "user", ["content"] = "q" };
        var turn = new Dictionary<string, object?>
        {
            ["role"] = "assistant",
            ["content"] = content,
            ["tool_calls"] = JsonSerializer.SerializeToElement(calls.Select((call, index) => new
            {
                id = $"call0000{index}",
                type = "function",
                function = new { name = call.Name, arguments = JsonElement.Parse(call.Arguments) },
            })),
        };
        try
        {
            string answer = format.WrittenAnswer(question, turn, s_tools) ?? "";
            string plain = format.Write([question, new Dictionary<string, object?> { ["role"] = "assistant", ["content"] = "Zq7" }], s_tools).Text;
            string closing = plain[(plain.LastIndexOf("Zq7", StringComparison.Ordinal) + 3)..];
            answer = closing.Length > 0 && answer.EndsWith(closing, StringComparison.Ordinal) ? answer[..^closing.Length] : answer;
            return calls.All(call => answer.Contains(call.Name, StringComparison.Ordinal)) ? answer : null;
        }
        catch (TemplateException)
        {
            return null;
        }
    }
}
