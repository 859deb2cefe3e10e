using System.CommandLine;
using LoraServe.Cli.Mistakes;

namespace LoraServe.Cli.Arguments;

/// <summary>Options that are numbers of something.</summary>
internal static class CountArguments
{
    /// <summary>The value of an option that cannot be less than one.</summary>
    /// <exception cref="UsageException">It is.</exception>
    public static int AtLeastOne(this ParseResult arguments, Option<int> option) => AtLeastOne(option, arguments.GetValue(option));

    /// <summary>The value of an option that cannot be less than one and may be left away.</summary>
    /// <exception cref="UsageException">It is less.</exception>
    public static int? AtLeastOne(this ParseResult arguments, Option<int?> option) => arguments.GetValue(option) is { } value ? AtLeastOne(option, value) : null;

    private static int AtLeastOne(Option option, int value) => value >= 1 ? value : throw new UsageException($"{option.Name} is {value}; expected at least 1.");
}
