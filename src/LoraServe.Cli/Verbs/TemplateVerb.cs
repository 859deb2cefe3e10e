using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Models;
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
            ChatTemplate parsed = (arguments.GetValue(template), arguments.GetValue(model)) switch
            {
                ({ } file, null) => ChatTemplate.Parse(File.ReadAllText(file.FullName), file.Name),
                (null, { } path) => ChatTemplate.Parse(
                    ModelText.Read(ModelArguments.OfFiles(path)).ChatTemplateSource ?? throw new CommandException($"{path} has no chat template; give one with --template."), path),
                _ => throw new UsageException("Give either --model or --template."),
            };
            foreach (string line in File.ReadLines(arguments.GetValue(cases)!.FullName).Where(line => line.Length > 0))
            {
                arguments.InvocationConfiguration.Output.WriteLine(JsonSerializer.Serialize(Render(parsed, line), s_json));
            }
        });
        return verb;
    }

    private static Dictionary<string, string> Render(ChatTemplate template, string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return new() { ["text"] = template.RenderCase(document.RootElement) };
        }
        catch (Exception exception) when (exception is TemplateException or JsonException)
        {
            return new() { ["error"] = exception.Message };
        }
    }
}
