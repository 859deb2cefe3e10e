using LoraServe.Serving.Store;

namespace LoraServe.Serving.Scheduling;

/// <summary>Texts to embed.</summary>
internal sealed class EmbedSubmission(EmbedRequest request, AdapterStack adapters, long arrivedAt) : Submission(request, adapters, arrivedAt)
{
    private readonly TaskCompletionSource<EmbedResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<EmbedResult> Result => _result.Task;

    public override void Complete()
    {
        var usage = new Usage(Sequences.Sum(sequence => sequence.PromptLength - sequence.VirtualRows), 0, CachedPromptTokens);
        _result.TrySetResult(new EmbedResult(Id, Adapters.Served, [.. Sequences.Cast<EmbeddingSequence>().Select(sequence => sequence.Vector)], usage));
    }

    public override void Fail(Exception failure) => _result.TrySetException(failure);
}
