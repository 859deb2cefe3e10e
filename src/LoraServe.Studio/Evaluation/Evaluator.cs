using System.Diagnostics;
using System.Text;
using LoraServe.Serving;
using LoraServe.Serving.Requests;
using LoraServe.Training.Data;

namespace LoraServe.Studio.Evaluation;

/// <summary>Runs the rows of a data set as concurrent requests of one engine, so that they share its batches.</summary>
/// <remarks>
/// Prompts and answers are tokenized as for training; what closes the answer is scored too.
/// Answers are greedy, up to the end token or a line's end, and compared without the white space around them.
/// </remarks>
/// <param name="engine">Runs the requests.</param>
/// <param name="tokenizer">Turns rows into tokens; what closes answers there ends answers that are generated too, since the engine stops at it.</param>
/// <param name="adapters">The adapters that every request uses.</param>
/// <param name="options">Limits.</param>
public sealed class Evaluator(InferenceEngine engine, RowTokenizer tokenizer, IReadOnlyList<AdapterReference> adapters, EvaluationOptions options)
{
    /// <summary>Requests at once: enough to fill the engine's batches, below the length of its queue.</summary>
    private const int Concurrency = 128;

    /// <summary>Evaluates all rows.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="rowDone">Called after each, from any thread.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The result, and what each row came to.</returns>
    /// <exception cref="StudioException">The engine refuses a row; names its line.</exception>
    public async Task<(EvaluationResult Result, RowOutcome[] Outcomes)> RunAsync(IReadOnlyList<EvaluationRow> rows, Action rowDone, CancellationToken cancellationToken)
    {
        var outcomes = new RowOutcome[rows.Count];
        long start = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, rows.Count, new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancellationToken }, async (index, token) =>
        {
            try
            {
                outcomes[index] = await RunAsync(rows[index], token).ConfigureAwait(false);
            }
            catch (EngineException exception)
            {
                throw new StudioException($"line {rows[index].Line}: {exception.Message}");
            }

            rowDone();
        }).ConfigureAwait(false);
        return (Summarize(rows, outcomes, Stopwatch.GetElapsedTime(start).TotalSeconds), outcomes);
    }

    private static EvaluationResult Summarize(IReadOnlyList<EvaluationRow> rows, RowOutcome[] outcomes, double seconds)
    {
        int answered = rows.Count(row => row.Expected is not null);
        int matched = outcomes.Count(outcome => outcome.IsMatch);
        int scored = outcomes.Sum(outcome => outcome.LabelledTokens);
        double? loss = scored > 0 ? -outcomes.Sum(outcome => outcome.LogProbability) / scored : null;
        return new EvaluationResult(
            answered > 0 ? (double)matched / answered : null,
            loss,
            loss is { } value ? Math.Exp(value) : null,
            rows.Count,
            matched,
            scored,
            outcomes.Count(outcome => outcome.IsCut),
            outcomes.Sum(outcome => outcome.GeneratedTokens),
            seconds,
            outcomes.Sum(outcome => outcome.ComputedTokens) / seconds);
    }

    private async Task<RowOutcome> RunAsync(EvaluationRow row, CancellationToken cancellationToken)
    {
        string? answer = null;
        (int generated, int computed, int scored) = (0, 0, 0);
        if (row.Expected is not null)
        {
            (answer, Usage usage) = await AnswerAsync(tokenizer.EncodePrompt(row.Turns[0]), cancellationToken).ConfigureAwait(false);
            generated = usage.CompletionTokens;
            computed = usage.PromptTokens - usage.CachedPromptTokens + usage.CompletionTokens;
        }

        double logProbability = 0;
        bool isCut = false;
        foreach (DataTurn turn in row.Turns)
        {
            int[] prompt = tokenizer.EncodePrompt(turn);
            int[] completion = tokenizer.EncodeAnswer(turn);
            isCut |= prompt.Length + completion.Length > options.MaxLength;
            if (await ScoreAsync(prompt, completion, cancellationToken).ConfigureAwait(false) is { } score)
            {
                logProbability += score.Sum;
                scored += score.LogProbabilities.Count;
                computed += prompt.Length + score.LogProbabilities.Count;
            }
        }

        return new RowOutcome(answer, answer is not null && answer == row.Expected, logProbability, scored, isCut, generated, computed);
    }

    private async Task<(string Answer, Usage Usage)> AnswerAsync(int[] prompt, CancellationToken cancellationToken)
    {
        var sampling = new SamplingOptions { MaxTokens = options.MaxTokens, Stop = ["\n"] };
        Generation generation = await engine.GenerateAsync(new GenerationRequest { PromptTokens = prompt, Adapters = adapters, Sampling = sampling }, cancellationToken).ConfigureAwait(false);
        var text = new StringBuilder();
        await foreach (GeneratedToken token in generation.ConfigureAwait(false))
        {
            text.Append(token.Text);
        }

        return (text.ToString().Trim(), generation.Usage);
    }

    /// <summary>Null where nothing of the answer is left to score.</summary>
    private async Task<ScoredText?> ScoreAsync(int[] prompt, int[] completion, CancellationToken cancellationToken)
    {
        int[] kept = completion[..Math.Clamp(options.MaxLength - prompt.Length, 0, completion.Length)];
        if (kept.Length == 0 || prompt.Length + kept.Length < 2)
        {
            return null;
        }

        // A text without a prompt is scored from its second token on: nothing comes before the first.
        ScoreRequest request = prompt.Length > 0
            ? new ScoreRequest { PromptTokens = prompt, ContinuationTokens = [kept], Adapters = adapters }
            : new ScoreRequest { PromptTokens = kept, Adapters = adapters };
        ScoreResult result = await engine.ScoreAsync(request, cancellationToken).ConfigureAwait(false);
        return result.Scores[0];
    }
}
