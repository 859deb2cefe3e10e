using LoraServe.Serving;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces;

/// <summary>A whole answer, for surfaces that do not stream it.</summary>
/// <param name="RequestId">The request's id.</param>
/// <param name="Adapters">The exact adapters that answered.</param>
/// <param name="Choices">The n answers, in their order.</param>
/// <param name="Prompt">The prompt's tokens with their log-probabilities, where both echo and these were asked for.</param>
/// <param name="Usage">What it cost.</param>
internal sealed record CollectedAnswer(
    string RequestId, IReadOnlyList<ServedAdapter> Adapters, IReadOnlyList<CollectedChoice> Choices, IReadOnlyList<ScoredToken> Prompt, Usage Usage)
{
    /// <summary>Waits for all choices.</summary>
    public static async Task<CollectedAnswer> OfAsync(Generation generation, CancellationToken cancellationToken)
    {
        List<GeneratedToken>[] choices = [.. Enumerable.Range(0, generation.Choices).Select(_ => new List<GeneratedToken>())];
        await foreach (GeneratedToken token in generation.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            choices[token.Choice].Add(token);
        }

        EchoedPrompt? echo = generation.Echo;
        return new CollectedAnswer(
            generation.RequestId, generation.Adapters, [.. choices.Select(tokens => new CollectedChoice(echo?.Text ?? "", tokens))], echo?.Tokens ?? [], generation.Usage);
    }
}
