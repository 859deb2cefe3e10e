using System.CommandLine;
using LoraServe.Adapters;
using LoraServe.Cli.Arguments;
using LoraServe.Compute;
using LoraServe.Models;
using LoraServe.Studio;
using LoraServe.Studio.Studies;

namespace LoraServe.Cli.Verbs.Study;

/// <summary><c>loraserve study</c>: trains methods side by side and says what each brings and costs.</summary>
internal static class StudyVerb
{
    /// <summary>How it is called.</summary>
    public const string Name = "study";

    /// <summary>Up to it full fine-tuning is compared unasked; it holds several float32 copies of the base.</summary>
    private const long FewParameters = 50_000_000;

    private const int UsualRows = 16;

    private const string Notes = """
        Each method on each task is a run in a folder of its own, OUT/TASK/METHOD, and a process of its own, so that its peak memory is its
        own. A run that is done is not done again and one that was interrupted goes on, so the same command finishes a study. The tables are
        in OUT/study.html and OUT/study.json, up to date after each run. Run nothing else meanwhile: speed is measured.

        Example:
          loraserve study --model model.gguf --data intents.train.jsonl --methods full,lora:4,lora:16,dora,prompt:20 --steps 200
        """;

    public static Command Create()
    {
        var model = new ModelArguments();
        var data = new Option<string[]>("--data") { Description = "What to learn: rows to train on, with NAME.eval.jsonl beside NAME.train.jsonl or NAME.jsonl to evaluate on, or TRAIN:EVAL. Several are compared one by one.", Required = true, HelpName = "TASK", AllowMultipleArgumentsPerToken = true };
        var folder = new Option<string>("--out") { Description = "Where runs and results go.", DefaultValueFactory = _ => "study", HelpName = "DIR" };
        var methods = new Option<string?>("--methods") { Description = $"Methods of `loraserve train` with commas between, each NAME or NAME:SIZE, the rank, width or virtual tokens; + trains two as one. [default: {StudyMethod.Usual}; full too on a base of up to 50 million parameters]", HelpName = "A,B:N" };
        var steps = new Option<int?>("--steps") { Description = "Steps of each run. [default: one pass over the rows]", HelpName = "N" };
        var rows = new Option<int>("--batch-rows") { Description = "Rows of a step.", DefaultValueFactory = _ => UsualRows, HelpName = "N" };
        var seed = new Option<int>("--seed") { Description = "What first values and the order of rows are drawn from.", HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "Print one object instead of tables." };
        var verb = new NotedCommand(Name, "Train several methods side by side and compare what they bring (exact match, loss) and cost (memory, speed, files).", Notes);
        model.AddTo(verb, choosesArithmetic: false, choosesDevice: false);
        foreach (Option option in new Option[] { data, folder, methods, steps, rows, seed, json })
        {
            verb.Add(option);
        }

        verb.SetAction(async (arguments, cancellationToken) =>
        {
            int? mostSteps = arguments.AtLeastOne(steps);
            int batchRows = arguments.AtLeastOne(rows);
            StudyMethod[]? asked = arguments.GetValue(methods) is { } names ? StudyArguments.Methods(names) : null;
            StudyTask[] tasks = StudyArguments.Tasks(arguments.GetValue(data)!);
            (string name, string fingerprint, long parameters) = Inspect(model.Path(arguments), model.Threads(arguments));
            var options = new StudyOptions(model.Path(arguments), fingerprint, model.Threads(arguments), arguments.GetValue(folder)!, mostSteps, batchRows, arguments.GetValue(seed));
            StudyMethod[] all = asked ?? StudyArguments.Methods(parameters <= FewParameters ? $"{StudyMethod.Full},{StudyMethod.Usual}" : StudyMethod.Usual);
            StudyRun[] runs = [.. tasks.SelectMany(task => all.Select(method => new StudyRun(options, task, method)))];
            Directory.CreateDirectory(options.Folder);
            StudySummary summary = await new StudyRunner(options, name, runs, new StudyProcesses(options), arguments.InvocationConfiguration.Error).RunAsync(cancellationToken).ConfigureAwait(false);
            Write(summary, options, arguments.GetValue(json), arguments.InvocationConfiguration.Output);
            return summary.Failures.Count > 0 ? 1 : 0;
        });
        return verb;
    }

    /// <summary>Loads the base for a moment, so that a wrong one stops the study at once.</summary>
    private static (string Name, string Fingerprint, long Parameters) Inspect(string path, int threads)
    {
        using LoadedModel model = ModelArguments.Load(path, Arithmetic.Exact, threads);
        return (model.Name, model.Transformer.Fingerprint, model.Transformer.ParameterCount());
    }

    private static void Write(StudySummary summary, StudyOptions options, bool json, TextWriter output)
    {
        if (json)
        {
            output.WriteJson(summary);
            return;
        }

        StudyTable.Write(output, summary);
        output.WriteLine($"page: {Path.Combine(options.Folder, StudySummary.PageFile)}");
    }
}
