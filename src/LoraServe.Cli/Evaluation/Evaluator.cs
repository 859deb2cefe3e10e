using System.Diagnostics;
using System.Text;
using LoraServe.Models;
using LoraServe.Serving;
using LoraServe.Tokenization;

namespace LoraServe.Cli.Evaluation;

/// <summary>Runs a data set through an engine: all rows at once, as many requests in one continuous batch.</summary>
/// <param name="model">The model.</param>
/// <param name="engine">Runs it.</param>
/// <param name="adapters">What answers.</param>
/// <param name="maxTokens">Most tokens of an answer.</param>
/// <param name="maxLength">Longest row to score, in tokens.</param>
/// <remarks>
/// Prompt and answer are tokenized apart and joined, without a begin token; the end token closes the answer and is scored too.
/// Answers are greedy, up to the end token or a line's end, and compared without the white space around them.
/// </remarks>
internal sealed class Evaluator(LoadedModel model, InferenceEngine engine, IReadOnlyList<AdapterReference> adapters, int maxTokens, int maxLength)
{
    /// <summary>Rows under way at once; enough to fill every step.</summary>
    private const int Concurrency = 256;

    private readonly Tokenizer _tokenizer = model.Tokenizer ?? throw new UsageException($"{model.Name} has no tokenizer.");
    private readonly int? _endToken = model.Tokenizer.SpecialIds.Eos ?? (model.Generation.EndTokens is [var first, ..] ? first : null);
    private double _lossSum;
    private int _labelled;
    private int _cut;
    private int _computed;

    public async Task<Evaluation> RunAsync(IReadOnlyList<EvaluationRow> rows, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        long begun = Stopwatch.GetTimestamp();
        string?[] answers = new string?[rows.Count];
        int done = 0;
        await Parallel.ForAsync(0, rows.Count, new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancellationToken }, async (i, token) =>
        {
            EvaluationRow row = rows[i];
            foreach (EvaluationTurn turn in row.Turns)
            {
                await ScoreAsync(row, turn, token).ConfigureAwait(false);
            }

            if (row.Accepted.Count > 0)
            {
                answers[i] = await AnswerAsync(row.Turns[0], token).ConfigureAwait(false);
            }

            progress?.Report(Interlocked.Increment(ref done));
        }).ConfigureAwait(false);

        (EvaluationRow Row, string Answer)[] answered = [.. rows.Zip(answers).Where(pair => pair.Second is not null).Select(pair => (pair.First, pair.Second!))];
        return new Evaluation(
            rows.Count,
            answered.Length == 0 ? null : answered.Count(pair => pair.Row.Accepted.Contains(pair.Answer.Trim())) / (double)answered.Length,
            _lossSum / _labelled,
            _labelled,
            _cut,
            _computed / Stopwatch.GetElapsedTime(begun).TotalSeconds,
            [.. answered.Select(pair => pair.Answer)]);
    }

    private async Task ScoreAsync(EvaluationRow row, EvaluationTurn turn, CancellationToken cancellationToken)
    {
        int[] prompt = _tokenizer.Encode(turn.Prompt, addSpecialTokens: false, parseSpecialTokens: turn.IsTemplated);
        int[] answer = _tokenizer.Encode(turn.Answer, addSpecialTokens: false, parseSpecialTokens: false);
        int[] labelled = _endToken is { } end ? [.. answer, end] : answer;
        int room = maxLength - prompt.Length;
        if (labelled.Length > room)
        {
            labelled = labelled[..Math.Max(room, 0)];
            Interlocked.Increment(ref _cut);
        }

        // A text's first token follows nothing, so it has no probability.
        ScoreRequest request = prompt.Length == 0
            ? new ScoreRequest { PromptTokens = labelled, Adapters = adapters }
            : new ScoreRequest { PromptTokens = prompt, ContinuationTokens = [labelled], Adapters = adapters };
        if (labelled.Length < (prompt.Length == 0 ? 2 : 1))
        {
            return;
        }

        try
        {
            ScoreResult result = await engine.ScoreAsync(request, cancellationToken).ConfigureAwait(false);
            lock (_tokenizer)
            {
                _lossSum -= result.Scores[0].Sum;
                _labelled += result.Scores[0].TokenIds.Count;
                _computed += prompt.Length + labelled.Length;
            }
        }
        catch (EngineException exception)
        {
            throw new UsageException($"line {row.Line}: {exception.Message}");
        }
    }

    private async Task<string> AnswerAsync(EvaluationTurn turn, CancellationToken cancellationToken)
    {
        int[] prompt = _tokenizer.Encode(turn.Prompt, addSpecialTokens: false, parseSpecialTokens: turn.IsTemplated);
        var sampling = new SamplingOptions { MaxTokens = maxTokens, Stop = ["\n"] };
        Generation generation = await engine.GenerateAsync(new GenerationRequest { PromptTokens = prompt, Adapters = adapters, Sampling = sampling }, cancellationToken).ConfigureAwait(false);
        var text = new StringBuilder();
        await foreach (GeneratedToken token in generation.ConfigureAwait(false))
        {
            text.Append(token.Text);
        }

        Interlocked.Add(ref _computed, prompt.Length + generation.Usage.CompletionTokens);
        return text.ToString();
    }
}
