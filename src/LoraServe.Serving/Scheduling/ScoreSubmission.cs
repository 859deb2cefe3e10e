using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Scheduling;

/// <summary>Texts to score.</summary>
internal sealed class ScoreSubmission : Submission
{
    private readonly TaskCompletionSource<ScoreResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="terms">What is fixed of it.</param>
    /// <param name="texts">Prompt and text, without virtual rows.</param>
    /// <param name="unscored">Tokens at the head of each text that are given.</param>
    public ScoreSubmission(SubmissionTerms terms, IReadOnlyList<int[]> texts, int unscored)
        : base(terms)
    {
        foreach (int[] text in texts)
        {
            Add(new ScoringSequence(this, Adapters.WithVirtualRows(text), Adapters.VirtualRows + unscored));
        }
    }

    public Task<ScoreResult> Result => _result.Task;

    public override void Complete() =>
        _result.TrySetResult(new ScoreResult(Id, Adapters.Served, [.. Sequences.Cast<ScoringSequence>().Select(sequence => sequence.Scored)]));

    public override void Fail(Exception failure) => _result.TrySetException(failure);
}
