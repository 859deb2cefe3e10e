using System.CommandLine;
using System.Globalization;
using LoraServe.Adapters;
using LoraServe.Adapters.Loading;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Rendering;
using LoraServe.Models;
using LoraServe.Models.Text;
using LoraServe.Studio;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Adapters;

/// <summary><c>loraserve adapters inspect</c>: what an adapter's files say and, with a model, what it would change there.</summary>
internal static class InspectVerb
{
    public static Command Create()
    {
        var adapter = new Argument<string>("DIR") { Description = "A PEFT directory or a GGUF adapter file." };
        var model = new Option<string>("--model") { Description = "Also match it against this GGUF file or Hugging Face directory.", HelpName = "PATH" };
        var json = new Option<bool>("--json") { Description = "Print one object." };
        var verb = new Command("inspect", "Show an adapter's method, rank, targets, tensors and digest.") { adapter, model, json };
        verb.SetAction(arguments =>
        {
            string path = arguments.GetValue(adapter)!;
            AdapterInspection inspection = AdapterInspection.Read(path);
            string[] templates = [.. ModelText.ReadAdapter(path, path)?.Templates?.Sources.Keys ?? []];
            bool hasTokenizer = Directory.Exists(path) && File.Exists(Path.Combine(path, "tokenizer.json"));
            AdapterReport? report = null;
            if (arguments.GetValue(model) is { } modelPath)
            {
                using LoadedModel loaded = ModelArguments.Load(modelPath, Compute.Arithmetic.Fast, Environment.ProcessorCount);
                report = AdapterLoader.Load(path, loaded.Transformer, new AdapterLimits { AllowNoEffect = true }).Report;
            }

            if (report is not null)
            {
                AdapterNotes.Write(report, arguments.InvocationConfiguration.Error);
            }

            TextWriter output = arguments.InvocationConfiguration.Output;
            if (arguments.GetValue(json))
            {
                output.WriteJson(new
                {
                    inspection.Method,
                    inspection.BaseModel,
                    inspection.Rank,
                    inspection.Alpha,
                    inspection.Targets,
                    Parameters = inspection.ParameterCount,
                    inspection.FileBytes,
                    inspection.Digest,
                    ChatTemplates = templates,
                    BringsTokenizer = hasTokenizer,
                    Tensors = inspection.Tensors.Select(tensor => new { tensor.Name, Dtype = $"{tensor.Type}", tensor.Shape }),
                    report?.MatchedModules,
                    report?.UnmatchedModules,
                    report?.Notes,
                    Norms = report?.DeltaNorms,
                });
            }
            else
            {
                IAnsiConsole console = Terminal.Console(output);
                console.Write(Facts(inspection, templates, hasTokenizer));
                console.Write(Kinds(inspection));
                if (report is not null)
                {
                    AdapterMatch.Write(console, report);
                }
            }
        });
        return verb;
    }

    private static Grid Facts(AdapterInspection inspection, string[] templates, bool hasTokenizer)
    {
        var grid = new Grid().AddColumn().AddColumn();
        Add("method", inspection.Method);
        Add("base model", inspection.BaseModel ?? "(not named)");
        Add("rank", $"{inspection.Rank}");
        Add("alpha", inspection.Alpha?.ToString(CultureInfo.InvariantCulture) ?? "");
        Add("targets", inspection.Method == "LORA" && inspection.Targets.Length > 16 ? $"{inspection.Targets.Length} modules" : string.Join(", ", inspection.Targets));
        Add("parameters", inspection.ParameterCount.ToString("N0", CultureInfo.InvariantCulture));
        Add("file", Terminal.Bytes(inspection.FileBytes));
        Add("dtype", string.Join(", ", inspection.Tensors.Select(tensor => tensor.Type).Distinct()));
        Add("digest", inspection.Digest);
        Add("chat template", templates.Length > 0 ? $"its own ({string.Join(", ", templates)}); conversations use it unless --base-template is given" : "");
        Add("tokenizer", hasTokenizer ? "brings one; text is tokenized by the base's" : "");
        return grid;

        void Add(string name, string value)
        {
            if (value.Length > 0)
            {
                grid.AddRow(new Text(name), new Text(value));
            }
        }
    }

    /// <summary>Tensors that differ in their layer only take one row.</summary>
    private static Table Kinds(AdapterInspection inspection)
    {
        Table table = Terminal.Table("tensor", "shape", "dtype", ">count");
        foreach (var kind in inspection.Tensors.GroupBy(tensor => (Name: WithoutNumbers(tensor.Name), Shape: string.Join(" x ", tensor.Shape), tensor.Type)))
        {
            table.AddText(kind.Key.Name, kind.Key.Shape, $"{kind.Key.Type}", $"{kind.Count()}");
        }

        return table;
    }

    private static string WithoutNumbers(string name) =>
        string.Join('.', name.Split('.').Select(part => part.All(char.IsAsciiDigit) ? "*" : part)).Replace("base_model.model.", "", StringComparison.Ordinal);
}
