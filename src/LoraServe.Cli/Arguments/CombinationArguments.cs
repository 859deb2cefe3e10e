using System.CommandLine;
using LoraServe.Adapters.Merging;
using LoraServe.Cli.Mistakes;

namespace LoraServe.Cli.Arguments;

/// <summary>How several adapters become one: the method and its numbers.</summary>
internal sealed class CombinationArguments
{
    private readonly Option<string> _method;
    private readonly Option<double> _density = new("--density") { Description = "Share of the values that the pruning methods keep.", DefaultValueFactory = _ => 1, HelpName = "F" };
    private readonly Option<int?> _rank = new("--rank") { Description = "Rank of what the svd methods make. [default: the greatest rank given]", HelpName = "N" };
    private readonly Option<string> _sign = new("--majority-sign") { Description = "How the ties methods elect signs: by the sum of the values, or by how many have each.", DefaultValueFactory = _ => CombinationOptions.TotalSign };
    private readonly Option<int> _seed;

    /// <param name="whereAbsent">What happens where no method is given.</param>
    /// <param name="seedName">The option of the seed, where --seed is taken.</param>
    public CombinationArguments(string whereAbsent, string seedName = "--seed")
    {
        _method = new Option<string>("--method") { Description = $"How adapters become one: {string.Join(", ", CombinationOptions.MethodNames)}. [default: {whereAbsent}]", HelpName = "NAME" };
        _seed = new Option<int>(seedName) { Description = "Seed of what the dare methods drop.", HelpName = "N" };
        _sign.AcceptOnlyFromAmong(CombinationOptions.TotalSign, CombinationOptions.FrequencySign);
    }

    public void AddTo(Command verb)
    {
        foreach (Option option in new Option[] { _method, _density, _rank, _sign, _seed })
        {
            verb.Add(option);
        }
    }

    /// <summary>What was asked for; null where no method was given.</summary>
    /// <exception cref="UsageException">The method is none, or a number is out of its range.</exception>
    public CombinationOptions? Read(ParseResult arguments)
    {
        string? method = arguments.GetValue(_method);
        double density = arguments.GetValue(_density);
        var options = new CombinationOptions
        {
            Method = CombinationOptions.FindMethod(method ?? "cat") ?? throw new UsageException($"--method is '{method}'; expected one of {string.Join(", ", CombinationOptions.MethodNames)}."),
            Density = density is > 0 and <= 1 ? density : throw new UsageException(FormattableString.Invariant($"--density is {density}; expected above 0 and at most 1.")),
            Rank = arguments.AtLeastOne(_rank),
            ElectByFrequency = arguments.GetValue(_sign) == CombinationOptions.FrequencySign,
            Seed = arguments.GetValue(_seed),
        };
        return method is null ? null : options;
    }
}
