using System.Text.Json;
using LoraServe.Testing;

namespace LoraServe.Templates.Tests;

/// <summary>Templates rendered by the transformers library, and small units of the language.</summary>
public sealed class ChatTemplateGoldenTests
{
    private static readonly string[] s_usualRoles = ["system", "user", "assistant", "tool"];

    /// <summary>Cases of roles that most templates do not know: they write them as they are, or leave the message out.</summary>
    private static readonly string?[] s_strangeRoles = ["unknown role", "developer role"];

    [SkippableFact]
    public void RenderCase_SharedTemplates_EqualTransformers() => CheckCases(SharedFiles.Require("fixtures/chat"));

    [SkippableFact]
    public void RenderCase_SharedUnits_EqualJinja() => CheckUnits(SharedFiles.Require("fixtures/chat/jinja_units.jsonl"));

    [Fact]
    public void RenderCase_CommittedTemplates_EqualTransformers() => CheckCases(Repository.Fixture("chat"));

    [Fact]
    public void RenderCase_CommittedUnits_EqualJinja() => CheckUnits(Repository.Fixture("chat/jinja_units.jsonl"));

    private static void CheckCases(string folder)
    {
        Dictionary<string, ChatTemplate> templates = Directory.GetFiles(Path.Combine(folder, "templates"), "*.jinja")
            .ToDictionary(path => Path.GetFileName(path), path => ChatTemplate.Parse(File.ReadAllText(path), Path.GetFileName(path)));
        List<string> failures = [];
        int count = 0;
        foreach (JsonElement row in Rows(Path.Combine(folder, "cases.jsonl")))
        {
            count++;
            string template = row.GetProperty("template").GetString()!;
            Check(failures, $"{template}, {row.GetProperty("case")}", row, mustFail: false, () => templates[template].RenderCase(row));
            string[] unknown = s_strangeRoles.Contains(row.GetProperty("case").GetString()) || !row.TryGetProperty("expected", out _)
                ? []
                : [.. RolesOf(row).Except([.. s_usualRoles, .. templates[template].Roles])];
            if (unknown.Length > 0)
            {
                failures.Add($"{template}, {row.GetProperty("case")}: renders the roles {string.Join(", ", unknown)}, which are not among {string.Join(", ", templates[template].Roles)}");
            }
        }

        Assert.True(count > 0);
        Assert.True(failures.Count == 0, $"{failures.Count} of {count} failed:\n{string.Join("\n", failures.Take(20))}");
    }

    private static void CheckUnits(string path)
    {
        List<string> failures = [];
        int count = 0;
        foreach (JsonElement row in Rows(path))
        {
            count++;
            string source = row.GetProperty("template").GetString()!;
            Check(failures, source, row, mustFail: true, () => ChatTemplate.Parse(source, "unit").RenderCase(row));
        }

        Assert.True(count > 0);
        Assert.True(failures.Count == 0, $"{failures.Count} of {count} failed:\n{string.Join("\n", failures.Take(20))}");
    }

    private static void Check(List<string> failures, string name, JsonElement row, bool mustFail, Func<string> render)
    {
        bool raised = (row.TryGetProperty("raised_by_template", out JsonElement flag) && flag.GetBoolean())
            || (row.TryGetProperty("error_type", out JsonElement type) && type.GetString() == "TemplateError");
        try
        {
            string text = render();
            if (row.TryGetProperty("expected", out JsonElement expected) ? text != expected.GetString() : raised || mustFail)
            {
                failures.Add($"{name}\n expected {row.GetProperty(row.TryGetProperty("error", out _) ? "error" : "expected").GetRawText()}\n but was  {JsonSerializer.Serialize(text)}");
            }
        }
        catch (TemplateException error)
        {
            if (!row.TryGetProperty("error", out JsonElement expected)
                || error.RaisedByTemplate != raised || (raised && error.Message != expected.GetString()))
            {
                failures.Add($"{name}\n failed: {error.Message}");
            }
        }
    }

    private static IEnumerable<string> RolesOf(JsonElement row) =>
        row.TryGetProperty("messages", out JsonElement messages) && messages.ValueKind == JsonValueKind.Array
            ? messages.EnumerateArray().Select(message => message.TryGetProperty("role", out JsonElement role) ? role.GetString() : null).OfType<string>()
            : [];

    private static IEnumerable<JsonElement> Rows(string path) =>
        File.ReadLines(path).Where(line => line.Length > 0).Select(line => JsonDocument.Parse(line).RootElement);
}
