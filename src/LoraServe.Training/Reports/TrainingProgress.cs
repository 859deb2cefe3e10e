using System.Text.Json.Serialization;

namespace LoraServe.Training.Reports;

/// <summary>One optimizer step of a run, as it is shown, logged and plotted.</summary>
public sealed record TrainingProgress
{
    /// <summary>The step that was just taken, from 1.</summary>
    public required int Step { get; init; }

    /// <summary>Steps of the whole run.</summary>
    public required int TotalSteps { get; init; }

    /// <summary>Tokens trained on since the run began, prompt and completion alike.</summary>
    public long Tokens { get; init; }

    /// <summary>Mean loss over the labelled tokens of the step, before its update.</summary>
    public double Loss { get; init; }

    /// <summary>Learning rate of the step.</summary>
    public double LearningRate { get; init; }

    /// <summary>Euclidean norm of all gradients, before clipping.</summary>
    [JsonPropertyName("grad_norm")]
    public double GradientNorm { get; init; }

    /// <summary>Tokens per second over the last steps.</summary>
    [JsonPropertyName("tokens_per_s")]
    public double TokensPerSecond { get; init; }

    /// <summary>Estimate of the time until the last step, in seconds.</summary>
    public double SecondsLeft { get; init; }

    /// <summary>Mean loss on the evaluation rows, at the steps after which it was measured.</summary>
    [JsonPropertyName("eval_loss")]
    public double? EvaluationLoss { get; init; }

    /// <summary>Share of evaluation rows answered exactly, 0 to 1, at the steps after which it was measured.</summary>
    [JsonPropertyName("eval_score")]
    public double? EvaluationScore { get; init; }

    /// <summary>Of a rank that grows: what it is from the next step on.</summary>
    public int? Rank { get; init; }

    /// <summary>When the step ended.</summary>
    public DateTimeOffset Time { get; init; }
}
