using System.Text.RegularExpressions;
using LoraServe.Training.Data;
using LoraServe.Training.Options;

namespace LoraServe.Cli.Verbs.Demo;

/// <summary>Something that the demonstration's base model cannot do, and how an adapter learns it.</summary>
/// <param name="Name">The adapter's name, and that of the rows' files.</param>
/// <param name="Measure">What the score says, for people.</param>
/// <param name="AnswerTokens">Most tokens of an answer.</param>
/// <param name="Options">How the adapter is trained.</param>
/// <param name="Score">How good an answer to a row is, 0 to 1.</param>
internal sealed partial record DemoTask(string Name, string Measure, int AnswerTokens, TrainingJobOptions Options, Func<DataRow, string, double> Score)
{
    /// <summary>Where the base model lies.</summary>
    public static string BaseDirectory { get; } = Path.Combine(AppContext.BaseDirectory, "Demo", "Base");

    /// <summary>The rows that the adapter and the base are asked.</summary>
    public string EvaluationFile => RowFile(Name, "eval");

    /// <summary>The three tasks, each with another method.</summary>
    /// <param name="steps">Steps of each adapter's training; null for what each needs.</param>
    public static IReadOnlyList<DemoTask> All(int? steps) =>
    [
        new("intent", "intent right", 12, Training("intent", "lora", steps ?? 140) with { Rank = 8, LearningRate = 5e-3, BatchRows = 16 }, IsRight),
        new("describe", "facts told", 64, Training("describe", "dora", steps ?? 120) with { Rank = 16, LearningRate = 5e-3, BatchRows = 8 }, FactsTold),
        new("pirate", "pirate talk", 64, Training("pirate", "houlsby", steps ?? 120) with { Rank = 16, LearningRate = 1e-2, BatchRows = 8 }, IsPirate),
    ];

    private static TrainingJobOptions Training(string name, string method, int steps) => new()
    {
        Method = method,
        DataFile = RowFile(name, "train"),
        Steps = steps,
        CheckpointInterval = 0,
    };

    private static string RowFile(string name, string part) => Path.Combine(AppContext.BaseDirectory, "Demo", "Tasks", $"{name}.{part}.jsonl");

    private static double IsRight(DataRow row, string answer) => answer == row.Answer.Trim() ? 1 : 0;

    /// <summary>The share of a table's values that a description has word for word.</summary>
    private static double FactsTold(DataRow row, string answer) =>
        Attribute().Matches(row.Prompt).Select(match => match.Groups["value"].Value).Average(value => answer.Contains(value, StringComparison.OrdinalIgnoreCase) ? 1.0 : 0);

    private static double IsPirate(DataRow row, string answer) =>
        answer.StartsWith("Arr", StringComparison.Ordinal) && answer.EndsWith("matey!", StringComparison.Ordinal) ? 1 : 0;

    // Whether a place is for families is said in many words, none of which is its value.
    [GeneratedRegex(@"(?:^|; )(?!familyFriendly)[\w ]+: (?<value>[^;\n]*)")]
    private static partial Regex Attribute();
}
