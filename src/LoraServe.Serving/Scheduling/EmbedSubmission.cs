using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Scheduling;

/// <summary>Texts to embed.</summary>
internal sealed class EmbedSubmission : Submission
{
    private readonly TaskCompletionSource<EmbedResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="terms">What is fixed of it.</param>
    /// <param name="texts">The texts, without virtual rows.</param>
    /// <param name="width">Width of hidden states.</param>
    /// <param name="pooling">How hidden states become one vector.</param>
    /// <param name="normalize">Whether that gets length 1.</param>
    public EmbedSubmission(SubmissionTerms terms, IReadOnlyList<int[]> texts, int width, Pooling pooling, bool normalize)
        : base(terms)
    {
        foreach (int[] text in texts)
        {
            Add(new EmbeddingSequence(this, Adapters.WithVirtualRows(text), width, pooling, normalize));
        }
    }

    public Task<EmbedResult> Result => _result.Task;

    public override void Complete()
    {
        var usage = new Usage(PromptTokens, 0, State.CachedPromptTokens);
        _result.TrySetResult(new EmbedResult(Id, Adapters.Served, [.. Sequences.Cast<EmbeddingSequence>().Select(sequence => sequence.Vector)], usage));
    }

    public override void Fail(Exception failure) => _result.TrySetException(failure);
}
