using System.CommandLine;
using LoraServe.Cli.Mistakes;
using LoraServe.Serving.Requests;

namespace LoraServe.Cli.Arguments;

/// <summary>What texts an answer may be.</summary>
internal sealed class ConstraintArguments
{
    private readonly Option<FileInfo> _schema = new("--json-schema") { Description = "Answer in JSON that satisfies the schema in this file.", HelpName = "FILE" };
    private readonly Option<string> _regex = new("--regex") { Description = "Answer with a text that this regular expression matches as a whole.", HelpName = "PATTERN" };
    private readonly Option<FileInfo> _grammar = new("--grammar") { Description = "Answer with a text of the grammar in this file, in llama.cpp's notation (GBNF).", HelpName = "FILE" };
    private readonly Option<string> _choices = new("--choices") { Description = "Answer with one of these texts.", HelpName = "TEXT,..." };

    public void AddTo(Command verb)
    {
        foreach (Option option in new Option[] { _schema, _regex, _grammar, _choices })
        {
            verb.Add(option);
        }
    }

    /// <summary>The constraint that is asked for; null where none is.</summary>
    /// <exception cref="UsageException">There are several, or a file is not there.</exception>
    public Constraint? Read(ParseResult arguments)
    {
        Constraint?[] given =
        [
            arguments.GetValue(_schema) is { } schema ? Constraint.JsonSchema(Text(schema, "--json-schema")) : null,
            arguments.GetValue(_regex) is { } regex ? Constraint.Regex(regex) : null,
            arguments.GetValue(_grammar) is { } grammar ? Constraint.Grammar(Text(grammar, "--grammar")) : null,
            arguments.GetValue(_choices) is { } choices ? Constraint.Choices(choices.Split(',')) : null,
        ];
        return given.Count(constraint => constraint is not null) <= 1
            ? given.FirstOrDefault(constraint => constraint is not null)
            : throw new UsageException("An answer takes one of --json-schema, --regex, --grammar and --choices.");
    }

    private static string Text(FileInfo file, string option) =>
        file.Exists ? File.ReadAllText(file.FullName) : throw new UsageException($"{option}: {file.FullName} is not there.");
}
