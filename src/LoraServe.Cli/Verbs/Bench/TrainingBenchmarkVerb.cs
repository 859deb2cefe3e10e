using System.CommandLine;
using System.Globalization;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Cli.Rendering;
using LoraServe.Compute;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Studio;
using LoraServe.Studio.Benchmarks;
using LoraServe.Training;
using LoraServe.Training.Options;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Bench;

/// <summary><c>loraserve bench train</c>: how fast a method trains.</summary>
internal static class TrainingBenchmarkVerb
{
    private const int DenseRows = 8;
    private const int DataRows = 16;

    public static Command Create()
    {
        var model = new ModelArguments(takesShapes: true);
        var method = new Option<string>("--method") { Description = "What is trained.", DefaultValueFactory = _ => "lora", HelpName = "NAME" };
        var rank = new Option<int>("--rank") { Description = "Rank of low-rank updates.", DefaultValueFactory = _ => 8, HelpName = "N" };
        Option<string> targets = BenchmarkArguments.CreateTargets(null);
        var adapters = new Option<int>("--adapters") { Description = "Adapters that train side by side and share a step's rows out among them.", DefaultValueFactory = _ => 1, HelpName = "N" };
        var data = new Option<string>("--data") { Description = "Rows of a data set, loss on the answers. [default: rows of random tokens, all labelled]", HelpName = "FILE.jsonl" };
        var rows = new Option<int?>("--batch-rows") { Description = $"Rows of a step. [default: {DataRows} of a data set, {DenseRows} of random tokens; or one for each adapter]", HelpName = "N" };
        var length = new Option<int>("--length") { Description = "Tokens of a row of random tokens.", DefaultValueFactory = _ => 128, HelpName = "N" };
        var repeat = new Option<int>("--repeat") { Description = "Steps that are timed.", DefaultValueFactory = _ => 5, HelpName = "N" };
        var recompute = new Option<bool>("--checkpoint-activations") { Description = "Compute activations again in the backward pass." };
        var json = new Option<bool>("--json") { Description = "Print one object." };
        var verb = new Command("train", "Take steps of training.") { method, rank, targets, adapters, data, rows, length, repeat, recompute, json };
        model.AddTo(verb, choosesArithmetic: false);
        verb.SetAction(arguments =>
        {
            string? file = arguments.GetValue(data);
            int repetitions = AtLeast(1, arguments, repeat);
            int count = AtLeast(1, arguments, adapters);
            var options = new TrainingJobOptions
            {
                Method = arguments.GetValue(method)!,
                Rank = arguments.GetValue(rank),
                Targets = BenchmarkArguments.Targets(arguments.GetValue(targets)),
                CheckpointActivations = arguments.GetValue(recompute),
                DataFile = file ?? "random",
                BatchRows = arguments.GetValue(rows) ?? Math.Max(count, file is null ? DenseRows : DataRows),
            };
            options.Validate();
            if (options.BatchRows < count)
            {
                throw new UsageException($"--batch-rows is {options.BatchRows}; expected a row or more for each of {count} adapters.");
            }

            using LoadedModel loaded = model.Load(arguments, Arithmetic.Exact);
            IReadOnlyList<IReadOnlyList<TrainingExample>> batches = file is null
                ? TrainingBenchmark.Dense(options.BatchRows.Value, AtLeast(2, arguments, length), loaded.Transformer.VocabularySize)
                : TrainingSpeed.Batches(options, loaded, repetitions + 1);
            using var pool = new WorkerPool(model.Threads(arguments));
            var machine = BenchmarkMachine.Measure(loaded.Transformer, pool);
            string description = file is null ? $"{options.BatchRows} x {arguments.GetValue(length)}" : Path.GetFileName(file);
            TrainingBenchmarkResult result = new TrainingBenchmark(loaded, pool, machine).Run(options, description, batches, repetitions, count);
            Write(result, arguments.GetValue(json), arguments.InvocationConfiguration.Output);
        });
        return verb;
    }

    private static int AtLeast(int least, ParseResult arguments, Option<int> option)
    {
        int value = arguments.GetValue(option);
        return value >= least ? value : throw new UsageException($"{option.Name} is {value}; expected at least {least}.");
    }

    private static void Write(TrainingBenchmarkResult result, bool json, TextWriter output)
    {
        if (json)
        {
            output.WriteJson(result);
            return;
        }

        Table table = Terminal.Table("method", "data", ">rows/s", ">tokens/s", ">peak", ">median", ">memory", ">base");
        table.AddText(
            result.Method,
            result.Data,
            Format($"{result.RowsPerS:0.0}"),
            Format($"{result.TokensPerS:0}"),
            Format($"{result.RatioToFloatPeak:0.00}"),
            Format($"{result.MedianRatioToFloatPeak:0.00}"),
            Terminal.Bytes(result.PeakMemoryBytes),
            Terminal.Bytes(result.BaseBytes));
        IAnsiConsole console = Terminal.Console(output);
        console.WriteLine($"train, {result.Model} on {result.Machine.Device}{(result.Adapters > 1 ? $", {result.Adapters} adapters side by side" : "")}");
        console.Write(table);
        console.WriteLine("peak, median: share of the limit of products in the best and the median step, by");
        console.WriteLine("the base's forward pass and its way back (with full, to weights too)");
        console.WriteLine("memory: the most that the process had of this machine's; base: its weights");
        BenchVerb.WriteMachine(console, result.Machine);
    }

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
