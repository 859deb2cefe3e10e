using LoraServe.Serving.Store;

namespace LoraServe.Serving.Scheduling;

/// <summary>Texts to score.</summary>
internal sealed class ScoreSubmission(ScoreRequest request, AdapterStack adapters, long arrivedAt) : Submission(request, adapters, arrivedAt)
{
    private readonly TaskCompletionSource<ScoreResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<ScoreResult> Result => _result.Task;

    public override void Complete() =>
        _result.TrySetResult(new ScoreResult(Id, Adapters.Served, [.. Sequences.Cast<ScoringSequence>().Select(sequence => sequence.Scored)]));

    public override void Fail(Exception failure) => _result.TrySetException(failure);
}
