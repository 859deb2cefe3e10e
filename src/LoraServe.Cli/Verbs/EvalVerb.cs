using System.CommandLine;
using System.Text.Json;
using LoraServe.Cli.Evaluation;
using LoraServe.Models;
using LoraServe.Serving;
using Spectre.Console;

namespace LoraServe.Cli.Verbs;

/// <summary><c>loraserve eval</c>: how well a model with an adapter does on a data set.</summary>
internal static class EvalVerb
{
    private const string AdapterName = "evaluated";

    public static Command Create()
    {
        var model = new ModelArguments();
        var adapter = new Option<string>("--adapter") { Description = "The adapter to evaluate; none for the base model.", HelpName = "DIR" };
        var data = new Option<FileInfo>("--data") { Description = "JSON Lines with prompt and completion (or references, or chosen), messages, or text.", Required = true, HelpName = "FILE.jsonl" };
        var maxTokens = new Option<int>("--max-tokens") { Description = "Most tokens of an answer.", DefaultValueFactory = _ => 64, HelpName = "N" };
        var maxLength = new Option<int>("--max-length") { Description = "Longest row to score, in tokens; longer ones are cut on the right.", DefaultValueFactory = _ => 256, HelpName = "N" };
        var limit = new Option<int>("--limit") { Description = "Only the first rows.", DefaultValueFactory = _ => int.MaxValue, HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var verb = new Command("eval", "Measure exact match and mean token loss on a data set.");
        model.AddTo(verb);
        foreach (Option option in new Option[] { adapter, data, maxTokens, maxLength, limit, json })
        {
            verb.Add(option);
        }

        verb.SetAction(async (arguments, cancellationToken) =>
        {
            using LoadedModel loaded = model.Load(arguments);
            var chat = ChatFormat.Of(loaded);
            IReadOnlyList<EvaluationRow> rows = EvaluationRows.Read(
                arguments.GetValue(data)!.FullName,
                Positive(arguments.GetValue(limit), "--limit"),
                messages => (chat ?? throw new UsageException($"{loaded.Name} has no chat template, which rows with messages need.")).Render(messages));
            var options = new EngineOptions { Workers = model.Threads(arguments), MaxQueuedRequests = 1_000_000, MaxQueuedRequestsPerTenant = 1_000_000 };
            await using var engine = new InferenceEngine(loaded, options);
            IReadOnlyList<AdapterReference> stack = [];
            if (arguments.GetValue(adapter) is { } path)
            {
                await engine.Adapters.PublishAsync(AdapterName, path, cancellationToken: cancellationToken).ConfigureAwait(false);
                stack = [new AdapterReference(AdapterName)];
            }

            var evaluator = new Evaluator(loaded, engine, stack, Positive(arguments.GetValue(maxTokens), "--max-tokens"), Positive(arguments.GetValue(maxLength), "--max-length"));
            Evaluation.Evaluation result = await WithProgressAsync(rows.Count, progress => evaluator.RunAsync(rows, progress, cancellationToken)).ConfigureAwait(false);
            await arguments.InvocationConfiguration.Output.WriteLineAsync(arguments.GetValue(json) ? Json(result) : Text(result)).ConfigureAwait(false);
        });
        return verb;
    }

    private static int Positive(int value, string option) => value > 0 ? value : throw new UsageException($"{option} is {value}; expected at least 1.");

    private static async Task<Evaluation.Evaluation> WithProgressAsync(int rows, Func<IProgress<int>?, Task<Evaluation.Evaluation>> run)
    {
        if (Console.IsErrorRedirected)
        {
            return await run(null).ConfigureAwait(false);
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                ProgressTask task = context.AddTask($"Evaluating {rows} rows", maxValue: rows);
                return run(new Progress<int>(done => task.Value = Math.Max(task.Value, done)));
            }).ConfigureAwait(false);
    }

    private static string Json(Evaluation.Evaluation result) => JsonSerializer.Serialize(new
    {
        exact_match = result.ExactMatch,
        loss = result.Loss,
        perplexity = result.Perplexity,
        rows = result.Rows,
        labelled_tokens = result.LabelledTokens,
        cut_rows = result.CutRows,
        tokens_per_s = result.TokensPerSecond,
    });

    private static string Text(Evaluation.Evaluation result)
    {
        string match = result.ExactMatch is { } share ? $"exact match  {share:P2}{Environment.NewLine}" : "";
        string cut = result.CutRows > 0 ? $"{Environment.NewLine}{result.CutRows} rows were cut at --max-length" : "";
        return $"{match}loss         {result.Loss:F4} nats a token ({result.LabelledTokens} tokens)\nperplexity   {result.Perplexity:F3}\nrows         {result.Rows}\nspeed        {result.TokensPerSecond:F0} tokens per second{cut}";
    }
}
