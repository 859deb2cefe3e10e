using System.Text.Json;
using LoraServe.Testing;

namespace LoraServe.Templates.Tests;

/// <summary>Whatever is done to a template, it parses and renders or says what is wrong.</summary>
public sealed class TemplateFuzzTests
{
    private static readonly string[] s_fragments =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "-", "(", ")", "[", "]", "{", "}", "|", ".", ",", ":", "=", "'", "\"", "\\", "~", "**", "//",
        " is ", " in ", " not ", " if ", " else ", "{% endif %}", "{% endfor %}", "{% for x in messages %}", "{% set x = messages %}",
        "|tojson", "|list", "|map(attribute='role')", "[::-1]", "[0]", "loop", "none", "9", "1e9", ".items()", "\ud83d", "é", "\n",
    ];

    [Fact]
    public void Render_MutatedTemplates_OnlyEverThrowTemplateException()
    {
        string[] sources = Directory.GetFiles(Repository.Fixture("chat/templates"), "*.jinja").Order().Select(File.ReadAllText)
            .Concat(File.ReadLines(Repository.Fixture("chat/jinja_units.jsonl"))
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("template").GetString()!))
            .ToArray();
        JsonElement row = JsonDocument.Parse(File.ReadLines(Repository.Fixture("chat/cases.jsonl")).Last()).RootElement;
        Random random = new(20260115);
        for (int round = 0; round < 1500; round++)
        {
            string source = Mutate(random, sources);
            try
            {
                ChatTemplate.Parse(source, "mutant").RenderCase(row);
            }
            catch (TemplateException error)
            {
                Assert.True(error.Line >= 1);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"Round {round}: {error.Message}\n{source}", error);
            }
        }
    }

    private static string Mutate(Random random, string[] sources)
    {
        string source = sources[random.Next(sources.Length)];
        for (int n = random.Next(1, 4); n > 0; n--)
        {
            int at = random.Next(source.Length + 1);
            int length = Math.Min(random.Next(1, 12), source.Length - at);
            string other = sources[random.Next(sources.Length)];
            int from = random.Next(other.Length);
            source = random.Next(4) switch
            {
                0 => source.Remove(at, length),
                1 => source.Insert(at, s_fragments[random.Next(s_fragments.Length)]),
                2 => source.Insert(at, source[at..(at + length)]),
                _ => source.Insert(at, other.Substring(from, Math.Min(20, other.Length - from))),
            };
        }

        return source;
    }
}
