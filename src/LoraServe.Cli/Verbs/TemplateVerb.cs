using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Models.Text;
using LoraServe.Templates;

namespace LoraServe.Cli.Verbs;

/// <summary><c>loraserve template</c>: what a chat template makes of given cases, for comparison with other engines.</summary>
internal static class TemplateVerb
{
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "Take the template of this GGUF file or Hugging Face directory.", HelpName = "PATH" };
        var template = new Option<FileInfo>("--template") { Description = "Take the template from this file.", HelpName = "FILE.jinja" };
        var cases = new Option<FileInfo>("--cases") { Description = "JSON Lines with messages, tools, add_generation_prompt, bos_token, eos_token, extra, now.", Required = true, HelpName = "FILE.jsonl" };
        var verb = new Command("template", "Print what a chat template makes of each case: one JSON object a line, with \"text\" or \"error\".")
        {
            model, template, cases,
        };
        verb.SetAction(arguments =>
        {
            (string name, ChatTemplates templates) = (arguments.GetValue(template), arguments.GetValue(model)) switch
            {
                ({ } file, null) => (file.Name, ChatTemplates.Of(File.ReadAllText(file.FullName))),
                (null, { } path) => (path, ModelText.Read(ModelArguments.OfFiles(path)).Templates ?? throw new CommandException($"{path} has no chat template; give one with --template.")),
                _ => throw new UsageException("Give either --model or --template."),
            };
            var parsed = templates.Sources.ToDictionary(source => source.Key, source => ChatTemplate.Parse(source.Value, name));
            foreach (string line in File.ReadLines(arguments.GetValue(cases)!.FullName).Where(line => line.Length > 0))
            {
                arguments.InvocationConfiguration.Output.WriteLine(JsonSerializer.Serialize(Render(parsed, name, line), s_json));
            }
        });
        return verb;
    }

    private static Dictionary<string, string> Render(Dictionary<string, ChatTemplate> templates, string name, string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement given = document.RootElement;
            bool hasTools = given.ValueKind == JsonValueKind.Object && given.TryGetProperty("tools", out JsonElement tools) && tools.ValueKind != JsonValueKind.Null;
            return new() { ["text"] = ChatFormat.Choose(templates, hasTools, name).RenderCase(given) };
        }
        catch (Exception exception) when (exception is TemplateException or JsonException)
        {
            return new() { ["error"] = exception.Message };
        }
    }
}
