using System.CommandLine;
using System.Globalization;
using LoraServe.Adapters.Peft;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Studio.Benchmarks;

namespace LoraServe.Cli.Verbs.Bench;

/// <summary>The options of all benchmarks but that of training.</summary>
internal sealed class BenchmarkArguments
{
    private const int MostRepetitions = 10_000;
    private const int MostSequences = 4096;

    private readonly Option<int> _rank = new("--rank") { Description = "Rank of the adapters, whose weights are random.", DefaultValueFactory = _ => 8, HelpName = "N" };
    private readonly Option<string> _targets = CreateTargets("q,v");
    private readonly Option<int> _tokens = new("--tokens") { Description = "Tokens that each sequence generates in one repetition.", DefaultValueFactory = _ => 32, HelpName = "N" };
    private readonly Option<int> _stepRows = new("--step-rows") { Description = "Most tokens of prompts that are computed at once.", DefaultValueFactory = _ => 512, HelpName = "N" };
    private readonly Option<int> _repeat = new("--repeat") { Description = "Repetitions; the best and the median are reported.", DefaultValueFactory = _ => 5, HelpName = "N" };
    private readonly Option<bool> _json = new("--json") { Description = "Print one object a line." };
    private readonly Option<string> _batch;
    private readonly Option<int> _adapters;
    private readonly Option<int> _prompt;

    public BenchmarkArguments()
    {
        _batch = new("--batch") { Description = "Sequences in a batch, one measurement for each.", DefaultValueFactory = _ => DefaultBatches, HelpName = "N,N,..." };
        _adapters = new("--adapters") { Description = "Most distinct adapters in a batch; measured are 0, 8, 32, 128, ... and the most.", DefaultValueFactory = _ => DefaultAdapters, HelpName = "N" };
        _prompt = new("--prompt-tokens") { Description = "Tokens of each prompt.", DefaultValueFactory = _ => DefaultPrompt, HelpName = "N" };
    }

    public ModelArguments Model { get; init; } = new(takesShapes: true);

    public string DefaultBatches { get; init; } = "1,8,32";

    public int DefaultAdapters { get; init; }

    public int DefaultPrompt { get; init; } = 32;

    /// <summary>An option for the linear maps that adapters change.</summary>
    public static Option<string> CreateTargets(string? otherwise) => new("--targets")
    {
        Description = $"Linear maps that adapters change: some of q, k, v, o, gate, up and down, names of modules, or all.{(otherwise is null ? " [default: the method's]" : "")}",
        DefaultValueFactory = _ => otherwise!,
        HelpName = "q,v|all",
    };

    /// <summary>The names of such an option as PEFT has them.</summary>
    public static string[] Targets(string? text) => text is null ? [] : text == "all" ? [ModuleFilter.AllLinear]
        : [.. text.Split(',', StringSplitOptions.TrimEntries).Select(name => name is "q" or "k" or "v" or "o" or "gate" or "up" or "down" ? $"{name}_proj" : name)];

    public void AddTo(Command verb)
    {
        Model.AddTo(verb);
        foreach (Option option in new Option[] { _batch, _adapters, _rank, _targets, _prompt, _tokens, _stepRows, _repeat, _json })
        {
            verb.Add(option);
        }
    }

    public bool IsJson(ParseResult arguments) => arguments.GetValue(_json);

    public BenchmarkOptions Options(ParseResult arguments) => new(
        Batches(arguments.GetValue(_batch)!),
        InRange(arguments, _adapters, 0, MostSequences),
        InRange(arguments, _rank, 1, 1024),
        Targets(arguments.GetValue(_targets)),
        InRange(arguments, _prompt, 1, int.MaxValue),
        InRange(arguments, _tokens, 1, int.MaxValue),
        InRange(arguments, _stepRows, 1, 1 << 16),
        InRange(arguments, _repeat, 1, MostRepetitions));

    private static int[] Batches(string text) =>
    [
        .. text.Split(',').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int size) && size is >= 1 and <= MostSequences
            ? size
            : throw new UsageException($"--batch is '{text}'; expected numbers from 1 to {MostSequences}, such as 1,8,32.")),
    ];

    private static int InRange(ParseResult arguments, Option<int> option, int least, int most)
    {
        int value = arguments.GetValue(option);
        return value >= least && value <= most ? value : throw new UsageException($"{option.Name} is {value}; expected {least} to {most}.");
    }
}
