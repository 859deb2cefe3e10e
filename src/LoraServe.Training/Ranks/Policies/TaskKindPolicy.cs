using System.Globalization;

namespace LoraServe.Training.Ranks.Policies;

/// <summary>By the kind of task: classification 8 to 32, translation 64 to 128, code 128 to 256, questions of one field 32 to 64; less for small data sets.</summary>
/// <remarks>
/// The ranges are a rule of thumb of fine-tuning guides. Within them the data set decides: about one bit of a completion token
/// is left to learn (Schulman et al., LoRA Without Regret, 2025) and a parameter holds about two (Allen-Zhu and Li, Physics of
/// Language Models 3.3, arXiv 2404.05405), so the rank is what holds the completions, within the range; and in no case above
/// the number of rows. Without a data set it is the range's lower end.
/// </remarks>
public sealed class TaskKindPolicy : IRankPolicy
{
    private const double BitsPerToken = 1;
    private const double BitsPerParameter = 2;

    /// <inheritdoc />
    public string Name => "task";

    /// <inheritdoc />
    public string? Missing(RankQuestion question) => KindOf(question) is null ? "the kind of task" : null;

    /// <summary>The least and the greatest rank that suit a kind of task.</summary>
    public static (int Least, int Greatest) RangeOf(TaskKind kind) => kind switch
    {
        TaskKind.Classification => (8, 32),
        TaskKind.Translation => (64, 128),
        TaskKind.Code => (128, 256),
        TaskKind.QuestionAnswering => (32, 64),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of task."),
    };

    /// <inheritdoc />
    public RankPlan Choose(RankQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        TaskKind kind = KindOf(question) ?? throw new ArgumentException($"Missing is {Missing(question)}.", nameof(question));
        (int least, int greatest) = RangeOf(kind);
        string range = $"{Spell(kind)}{(question.Task is null ? " (guessed: the answers are few)" : "")} takes {least} to {greatest}";
        if (question.Data is not { } data)
        {
            return RankPlan.Uniform(Name, question, least, $"{range}; the lower end, since there is no data set");
        }

        double holding = Math.Ceiling(data.CompletionTokens * BitsPerToken / (BitsPerParameter * Math.Max(1, question.ParametersPerRank)));
        int rank = Math.Min((int)Math.Clamp(holding, least, greatest), Math.Max(1, data.Rows));
        string cap = data.Rows < least
            ? $"but there are only {data.Rows} rows"
            : string.Create(CultureInfo.InvariantCulture, $"{data.CompletionTokens:N0} answer tokens would fit into rank {holding:N0}, so it is {rank}");
        return RankPlan.Uniform(Name, question, rank, $"{range}; {cap}");
    }

    private static TaskKind? KindOf(RankQuestion question) =>
        question.Task ?? (question.Data?.LooksLikeClassification == true ? TaskKind.Classification : null);

    private static string Spell(TaskKind kind) => kind switch
    {
        TaskKind.QuestionAnswering => "question answering",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
