using LoraServe.Serving.Requests;
using LoraServe.Serving.Scheduling;

namespace LoraServe.Serving;

/// <summary>A request that the engine took, and the tokens that it generates. Can be enumerated once; leaving early cancels it.</summary>
/// <remarks>
/// The tokens of several choices come mixed. Enumerating throws <see cref="EngineException"/> when the request fails and
/// <see cref="OperationCanceledException"/> when it is cancelled, after the tokens that came before.
/// </remarks>
public sealed class Generation : IAsyncEnumerable<GeneratedToken>
{
    private readonly EngineLoop _loop;
    private readonly GenerationSubmission _submission;

    internal Generation(EngineLoop loop, GenerationSubmission submission)
    {
        _loop = loop;
        _submission = submission;
    }

    /// <summary>The request's id.</summary>
    public string RequestId => _submission.Id;

    /// <summary>The exact adapters that answer.</summary>
    public IReadOnlyList<ServedAdapter> Adapters => _submission.Adapters.Served;

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens => _submission.PromptLength;

    /// <summary>How many answers it draws.</summary>
    public int Choices => _submission.Sampling.Options.Choices;

    /// <summary>The prompt, to be put in front of each answer; null where that was not asked for. Its log-probabilities are known once the first token has come, or all are enumerated.</summary>
    public EchoedPrompt? Echo => _submission.EchoedText is { } text ? new EchoedPrompt(text, _submission.Scores?.Tokens ?? []) : null;

    /// <summary>What it cost so far; final once all tokens are enumerated.</summary>
    public Usage Usage => new(_submission.PromptLength, _submission.State.GeneratedTokens, _submission.State.CachedPromptTokens);

    /// <inheritdoc />
    public async IAsyncEnumerator<GeneratedToken> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(Cancel, cancellationToken);
        TokenStream stream = _submission.Stream;
        try
        {
            bool isComplete;
            do
            {
                await stream.WaitAsync().ConfigureAwait(false);
                while (stream.TryRead(out GeneratedToken token, out isComplete))
                {
                    yield return token;
                }
            }
            while (!isComplete);
        }
        finally
        {
            Cancel(_submission.Cancellation); // of no effect once it has ended
        }
    }

    private void Cancel(object? token) => _loop.Cancel(_submission, new OperationCanceledException((CancellationToken)token!));
}
