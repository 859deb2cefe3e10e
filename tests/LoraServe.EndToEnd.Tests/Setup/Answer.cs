using System.Globalization;
using LoraServe.V1;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>What a request got, to the bit.</summary>
/// <param name="Digest">The adapter's digest; empty for the base model.</param>
/// <param name="Tokens">Each token's id with the bits of its log-probability and of the next most likely ones.</param>
internal sealed record Answer(string Digest, string Tokens)
{
    public static Answer Of(GenerateResponse response) =>
        Of(response.Adapters, response.Choices.SelectMany(choice => choice.Logprobs));

    public static Answer Of(IReadOnlyCollection<GenerateChunk> chunks) =>
        Of(chunks.First().Adapters, chunks.SelectMany(chunk => chunk.Logprobs));

    private static Answer Of(IEnumerable<ServedAdapter> adapters, IEnumerable<TokenLogprobs> tokens) =>
        new(string.Join('+', adapters.Select(adapter => adapter.Digest)), string.Join(' ', tokens.SelectMany(token => token.Top.Prepend(token.Token)).Select(Bits)));

    private static string Bits(TokenProbability token) =>
        string.Create(CultureInfo.InvariantCulture, $"{token.TokenId}:{BitConverter.SingleToInt32Bits(token.Logprob):x8}");
}
