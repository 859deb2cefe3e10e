using LoraServe.Serving;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces;

/// <summary>A whole answer, for surfaces that do not stream it.</summary>
/// <param name="RequestId">The request's id.</param>
/// <param name="Adapters">The exact adapters that answered.</param>
/// <param name="Choices">The n answers, in their order.</param>
/// <param name="Usage">What it cost.</param>
internal sealed record CollectedAnswer(string RequestId, IReadOnlyList<ServedAdapter> Adapters, IReadOnlyList<CollectedChoice> Choices, Usage Usage)
{
    /// <summary>Waits for all choices.</summary>
    public static async Task<CollectedAnswer> OfAsync(Generation generation, CancellationToken cancellationToken)
    {
        var choices = new List<List<GeneratedToken>>();
        await foreach (GeneratedToken token in generation.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            while (choices.Count <= token.Choice)
            {
                choices.Add([]);
            }

            choices[token.Choice].Add(token);
        }

        return new CollectedAnswer(generation.RequestId, generation.Adapters, [.. choices.Select(tokens => new CollectedChoice(tokens))], generation.Usage);
    }
}
