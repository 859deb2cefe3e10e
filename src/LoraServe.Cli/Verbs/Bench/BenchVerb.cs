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
    private const int MostRepetitions = 10_000;

    private static readonly int[] s_defaultBatches = [1, 8, 32];

    public static Command Create() => new("bench", "Measure speed, as ratios to the machine's measured limits.")
    {
        Speed("decode", "Generate tokens at several batch sizes.", defaultPrompt: 32, benchmark => benchmark.Decode()),
        Speed("prefill", "Compute a prompt.", defaultPrompt: 512, benchmark => benchmark.Prefill()),
        Speed("mixed", "Generate with distinct adapters in one batch, against the same batch without.", defaultPrompt: 32, benchmark => benchmark.Mixed()),
        TrainingBenchmarkVerb.Create(),
        Load(),
    };

    private static Command Speed(string name, string description, int defaultPrompt, Func<SpeedBenchmark, IEnumerable<BenchmarkResult>> run)
    {
        var arguments = new BenchmarkArguments(defaultPrompt, s_defaultBatches);
        var verb = new Command(name, description);
        arguments.AddTo(verb);
        verb.SetAction(parsed =>
        {
            BenchmarkOptions options = arguments.Options(parsed);
            using LoadedModel model = arguments.Model.Load(parsed);
            CheckLength(options, model.Transformer.Spec.ContextLength);
            using var pool = new WorkerPool(arguments.Model.Threads(parsed));
            var machine = BenchmarkMachine.Measure(pool);
            Write(run(new SpeedBenchmark(model, pool, machine, options)), machine, arguments.IsJson(parsed), parsed.InvocationConfiguration);
        });
        return verb;
    }

    private static Command Load()
    {
        var arguments = new BenchmarkArguments(defaultPrompt: 16, s_defaultBatches);
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

    private static void Write(IEnumerable<BenchmarkResult> results, BenchmarkMachine machine, bool json, InvocationConfiguration terminal)
    {
        if (json)
        {
            foreach (BenchmarkResult result in results)
            {
                terminal.Output.WriteJson(result);
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
                Format($"{result.RatioToBandwidth:0.00}"),
                Format($"{result.RatioToFloatPeak:0.00}"),
                result.RatioToNoAdapters is { } ratio ? Format($"{ratio:0.00}") : "",
                Format($"{result.AllocatedBytesPerToken:0.#}"));
        }

        IAnsiConsole console = Terminal.Console(terminal.Output);
        console.Write(table);
        console.WriteLine("memory, peak: share of the limits below; vs none: against the same batch without adapters");
        WriteMachine(console, machine);
    }

    private static void WriteMachine(IAnsiConsole console, BenchmarkMachine machine)
    {
        console.WriteLine($"{machine.Processor}, {machine.InstructionSet}, {machine.Threads} threads");
        console.WriteLine(Format($"limits measured: {machine.ReadGbPerS:0.0} GB/s, {machine.FloatGflopPerS:0} GFLOP/s (float32)"));
    }

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The options of all benchmarks.</summary>
    private sealed class BenchmarkArguments(int defaultPrompt, int[] defaultBatches)
    {
        private readonly Option<string> _batch = new("--batch") { Description = "Sequences in a batch, one measurement for each.", DefaultValueFactory = _ => string.Join(',', defaultBatches), HelpName = "N,N,..." };
        private readonly Option<int> _adapters = new("--adapters") { Description = "Most distinct adapters in a mixed batch.", DefaultValueFactory = _ => 32, HelpName = "N" };
        private readonly Option<int> _rank = new("--rank") { Description = "Rank of the random adapters, at q and v.", DefaultValueFactory = _ => 8, HelpName = "N" };
        private readonly Option<int> _prompt = new("--prompt-tokens") { Description = "Tokens of each prompt.", DefaultValueFactory = _ => defaultPrompt, HelpName = "N" };
        private readonly Option<int> _tokens = new("--tokens") { Description = "Tokens that each sequence generates in one repetition.", DefaultValueFactory = _ => 32, HelpName = "N" };
        private readonly Option<int> _repeat = new("--repeat") { Description = "Repetitions; the best and the median are reported.", DefaultValueFactory = _ => 5, HelpName = "N" };
        private readonly Option<bool> _json = new("--json") { Description = "Print one object a line." };

        public ModelArguments Model { get; } = new();

        public void AddTo(Command verb)
        {
            Model.AddTo(verb);
            foreach (Option option in new Option[] { _batch, _adapters, _rank, _prompt, _tokens, _repeat, _json })
            {
                verb.Add(option);
            }
        }

        public bool IsJson(ParseResult arguments) => arguments.GetValue(_json);

        public BenchmarkOptions Options(ParseResult arguments) => new(
            Batches(arguments.GetValue(_batch)!),
            InRange(arguments, _adapters, 4096),
            InRange(arguments, _rank, 1024),
            InRange(arguments, _prompt, int.MaxValue),
            InRange(arguments, _tokens, int.MaxValue),
            InRange(arguments, _repeat, MostRepetitions));

        private static int[] Batches(string text) =>
        [
            .. text.Split(',').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int size) && size is >= 1 and <= 4096
                ? size
                : throw new UsageException($"--batch is '{text}'; expected numbers from 1 to 4096, such as 1,8,32.")),
        ];

        private static int InRange(ParseResult arguments, Option<int> option, int most)
        {
            int value = arguments.GetValue(option);
            return value >= 1 && value <= most ? value : throw new UsageException($"{option.Name} is {value}; expected 1 to {most}.");
        }
    }
}
