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
    /// <summary>Waits for all choices of what calls no tools.</summary>
    public static Task<CollectedAnswer> OfAsync(Generation generation, CancellationToken cancellationToken) => OfAsync(generation, ToolUse.Nothing, cancellationToken);

    /// <summary>Waits for all choices.</summary>
    /// <param name="generation">Of their tokens.</param>
    /// <param name="tools">The tools that they may call.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public static async Task<CollectedAnswer> OfAsync(Generation generation, ToolUse tools, CancellationToken cancellationToken)
    {
        List<GeneratedToken>[] choices = [.. Enumerable.Range(0, generation.Choices).Select(_ => new List<GeneratedToken>())];
        await foreach (GeneratedToken token in generation.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            choices[token.Choice].Add(token);
        }

        EchoedPrompt? echo = generation.Echo;
        return new CollectedAnswer(
            generation.RequestId,
            generation.Adapters,
            [.. choices.Select((tokens, choice) => new CollectedChoice(echo?.Text ?? "", tokens, tools.CreateReader(generation.RequestId, choice)))],
            echo?.Tokens ?? [],
            generation.Usage);
    }
}
