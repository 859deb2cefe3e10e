using System.CommandLine;
using System.Globalization;
using LoraServe.Cli.Mistakes;
using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Policies;

namespace LoraServe.Cli.Verbs.Ranks;

/// <summary>The options of the verbs that choose ranks, and the policies that they set.</summary>
internal sealed class RankPolicyArguments
{
    public const double UsualEnergy = 0.9;

    private static readonly Dictionary<string, TaskKind> s_tasks = new()
    {
        ["classification"] = TaskKind.Classification,
        ["translation"] = TaskKind.Translation,
        ["code"] = TaskKind.Code,
        ["question-answering"] = TaskKind.QuestionAnswering,
    };

    private readonly Option<string?> _task = new("--task") { Description = "What kind of answers are learnt." };
    private readonly Option<double?> _complexity = new("--complexity") { Description = "The task's complexity, 0 to 1, for the policy 'complexity'. [default: estimated from the data set]", HelpName = "F" };
    private readonly Option<int?> _attention = new("--attention-rank") { Description = "Rank of query, key, value and output projections, for the policy 'layers'. [default: by width]", HelpName = "N" };
    private readonly Option<int?> _mlp = new("--mlp-rank") { Description = "Rank of gate, up and down projections, for the policy 'layers'. [default: half of it]", HelpName = "N" };
    private readonly Option<int?> _other = new("--other-rank") { Description = "Rank of the head and the token table, for the policy 'layers'. [default: a quarter of it]", HelpName = "N" };
    private readonly Option<string?> _targets = new("--targets") { Description = "Modules that get a low-rank pair, by the last part of their names or whole, between commas. [default: all-linear]", HelpName = "a,b" };

    public RankPolicyArguments(string energyDescription)
    {
        Energy = new Option<double?>("--energy") { Description = energyDescription, HelpName = "F" };
        _task.AcceptOnlyFromAmong([.. s_tasks.Keys]);
    }

    /// <summary>The share of Σσ to keep; null where it is not given.</summary>
    public Option<double?> Energy { get; }

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command verb)
    {
        verb.Add(_targets);
        verb.Add(_task);
        verb.Add(_complexity);
        verb.Add(Energy);
        verb.Add(_attention);
        verb.Add(_mlp);
        verb.Add(_other);
    }

    public TaskKind? Task(ParseResult arguments) => arguments.GetValue(_task) is { } name ? s_tasks[name] : null;

    public string[] Targets(ParseResult arguments) =>
        arguments.GetValue(_targets)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>Every policy with what the options say.</summary>
    /// <exception cref="UsageException">A value is out of its range.</exception>
    public IReadOnlyList<IRankPolicy> Policies(ParseResult arguments)
    {
        double energy = InRange(arguments, Energy, value => value > 0 && value <= 1, "above 0 and at most 1") ?? UsualEnergy;
        double? complexity = InRange(arguments, _complexity, value => value >= 0 && value <= 1, "0 to 1");
        return RankPolicies.All(energy, complexity, Rank(arguments, _attention), Rank(arguments, _mlp), Rank(arguments, _other));
    }

    /// <summary>A number option's value.</summary>
    /// <exception cref="UsageException">It is out of its range.</exception>
    public static double? InRange(ParseResult arguments, Option<double?> option, Func<double, bool> isAllowed, string expected) =>
        arguments.GetValue(option) is not { } value || isAllowed(value)
            ? arguments.GetValue(option)
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {value}; expected {expected}."));

    private static int? Rank(ParseResult arguments, Option<int?> option) =>
        arguments.GetValue(option) is not < 0 ? arguments.GetValue(option) : throw new UsageException($"{option.Name} is {arguments.GetValue(option)}; expected 0 (no pairs there) or more.");
}
