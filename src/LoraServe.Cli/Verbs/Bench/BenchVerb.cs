using System.CommandLine;
using System.Globalization;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Cli.Rendering;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Studio;
using LoraServe.Studio.Benchmarks;
using Spectre.Console;

namespace LoraServe.Cli.Verbs.Bench;

/// <summary><c>loraserve bench</c>: how fast this machine is, as ratios to what it could be at best.</summary>
internal static class BenchVerb
{
    public static Command Create() => new("bench", "Measure speed, as shares of the device's measured limits.")
    {
        Speed("decode", "Generate tokens at several batch sizes.", new BenchmarkArguments(), benchmark => benchmark.Decode()),
        Speed("prefill", "Compute prompts.", new BenchmarkArguments { DefaultPrompt = 512, DefaultBatches = "1" }, benchmark => benchmark.Prefill()),
        Speed("mixed", "Generate with distinct adapters in one batch, against the same batch without.", new BenchmarkArguments { DefaultAdapters = 32 }, benchmark => benchmark.Mixed()),
        TrainingBenchmarkVerb.Create(),
        Load(),
    };

    private static Command Speed(string name, string description, BenchmarkArguments arguments, Func<SpeedBenchmark, IEnumerable<BenchmarkResult>> run)
    {
        var verb = new Command(name, description);
        arguments.AddTo(verb);
        verb.SetAction(parsed =>
        {
            BenchmarkOptions options = arguments.Options(parsed);
            using LoadedModel model = arguments.Model.Load(parsed);
            CheckLength(options, model.Transformer.Spec.ContextLength);
            using var pool = new WorkerPool(arguments.Model.Threads(parsed));
            var machine = BenchmarkMachine.Measure(model.Transformer, pool);
            Write(name, run(new SpeedBenchmark(model, pool, machine, options)), model.Name, options, machine, arguments.IsJson(parsed), parsed.InvocationConfiguration.Output);
        });
        return verb;
    }

    private static Command Load()
    {
        var arguments = new BenchmarkArguments { Model = new ModelArguments(), DefaultPrompt = 16 };
        var verb = new Command("load", "Start, load the model and an adapter, and compute a first token.");
        arguments.AddTo(verb);
        verb.SetAction(parsed =>
        {
            ModelArguments model = arguments.Model;
            LoadResult result = LoadBenchmark.Run(model.Device(parsed), model.Path(parsed), model.Arithmetic(parsed), model.Threads(parsed), arguments.Options(parsed));
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (arguments.IsJson(parsed))
            {
                output.WriteJson(result);
                return;
            }

            var grid = new Grid().AddColumn().AddColumn();
            grid.AddRow("start to first token", Format($"{result.StartToFirstTokenS:0.00} s"));
            grid.AddRow("model", Format($"{result.ModelLoadS * 1000:0} ms, {result.ModelLoadMbPerS:0} MB/s"));
            grid.AddRow($"adapter of rank {result.AdapterRank}", Format($"{result.AdapterLoadMs:0.0} ms, {Terminal.Bytes(result.AdapterBytes)}"));
            IAnsiConsole console = Terminal.Console(output);
            console.Write(grid);
            WriteMachine(console, result.Machine);
        });
        return verb;
    }

    private static void CheckLength(BenchmarkOptions options, int context)
    {
        if ((long)options.PromptTokens + options.Tokens > context)
        {
            throw new UsageException($"--prompt-tokens {options.PromptTokens} and --tokens {options.Tokens} do not fit into the model's context of {context}.");
        }
    }

    private static void Write(string name, IEnumerable<BenchmarkResult> results, string model, BenchmarkOptions options, BenchmarkMachine machine, bool json, TextWriter output)
    {
        if (json)
        {
            foreach (BenchmarkResult result in results)
            {
                output.WriteJson(result);
            }

            return;
        }

        Table table = Terminal.Table(">batch", ">adapters", ">tokens/s", ">median", ">memory", ">peak", ">vs none", ">B/token");
        foreach (BenchmarkResult result in results)
        {
            table.AddText(
                $"{result.Batch}",
                result.Adapters > 0 ? $"{result.Adapters}" : "-",
                Format($"{result.TokensPerS:0.0}"),
                Format($"{result.MedianTokensPerS:0.0}"),
                Share(result.RatioToBandwidth, result.Binds == "memory"),
                Share(result.RatioToFloatPeak, result.Binds == "peak"),
                result.RatioToNoAdapters is { } ratio ? Format($"{ratio:0.00}") : "",
                Format($"{result.AllocatedBytesPerToken:0.#}"));
        }

        IAnsiConsole console = Terminal.Console(output);
        console.WriteLine($"{name}, {model} on {machine.Device}{(options.Adapters > 0 ? $", adapters of rank {options.Rank} at {string.Join(", ", options.Targets)}" : "")}");
        console.Write(table);
        console.WriteLine("memory, peak: share of the limits below; * the limit that binds, the nearer one");
        console.WriteLine("vs none: against the same batch without adapters");
        WriteMachine(console, machine);
    }

    private static string Share(double share, bool binds) => Format($"{share:0.00}{(binds ? '*' : ' ')}");

    /// <summary>Says what the figures are of, and shares of what.</summary>
    internal static void WriteMachine(IAnsiConsole console, BenchmarkMachine machine)
    {
        console.WriteLine($"device {machine.Device}: {machine.Processor}, {machine.InstructionSet}, {machine.Threads} threads");
        console.WriteLine(Format($"limits measured: {machine.ReadGbPerS:0.0} GB/s, {machine.FloatGflopPerS:0} GFLOP/s ({machine.Type})"));
    }

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
