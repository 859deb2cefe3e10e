using System.Diagnostics;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Serving;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Training.Methods;

namespace LoraServe.Studio.Studies;

/// <summary>Serves adapters as a server does and measures what a token costs with them.</summary>
internal sealed class LatencyMeasurement(LoadedModel model, int threads) : IAsyncDisposable
{
    private const int Repetitions = 7;

    /// <summary>Two whole pages, which the prefix cache keeps after the first round, and a token: each request then is one row a step from its first.</summary>
    private const int MostPromptTokens = (2 * KvPage.Tokens) + 1;

    private const int MostTokens = 48;

    // Virtual tokens take their part of a small context too.
    private const int ContextParts = 4;

    private readonly InferenceEngine _engine = new(model, new EngineOptions { Workers = threads });
    private int _published;

    /// <summary>Measures one adapter.</summary>
    /// <param name="method">Its method, which says how many folders it has.</param>
    /// <param name="folder">Its files.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<ServingLatency> MeasureAsync(string method, string folder, CancellationToken cancellationToken)
    {
        IReadOnlyList<MethodVariant> methods = MethodCatalog.Find(method);
        var adapters = new List<AdapterReference>();
        foreach (MethodVariant part in methods)
        {
            string name = FormattableString.Invariant($"study-{++_published}");
            await _engine.Adapters.PublishAsync(Principal.Operator, name, methods.Count == 1 ? folder : Path.Combine(folder, part.Name), cancellationToken: cancellationToken).ConfigureAwait(false);
            adapters.Add(new AdapterReference(name));
        }

        var without = new List<double>();
        var with = new List<double>();

        // The first round is for warming up, and is not counted.
        for (int i = -1; i < Repetitions; i++)
        {
            double reference = await TokenMillisecondsAsync([], cancellationToken).ConfigureAwait(false);
            double mine = await TokenMillisecondsAsync(adapters, cancellationToken).ConfigureAwait(false);
            if (i >= 0)
            {
                without.Add(reference);
                with.Add(mine);
            }
        }

        return ServingLatency.Of(without, with);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    /// <summary>Time of a request over its tokens. Not taken from one token's arrival to another's: a small model is done before the first is looked at.</summary>
    private async Task<double> TokenMillisecondsAsync(IReadOnlyList<AdapterReference> adapters, CancellationToken cancellationToken)
    {
        int room = model.Transformer.Spec.ContextLength / ContextParts;
        var random = new Random(0);
        var request = new GenerationRequest
        {
            PromptTokens = [.. Enumerable.Range(0, Math.Clamp(room, 1, MostPromptTokens)).Select(_ => random.Next(model.Transformer.VocabularySize))],
            Adapters = adapters,
            Sampling = new SamplingOptions { MaxTokens = Math.Clamp(room, 1, MostTokens), IgnoreEndToken = true },
        };
        int tokens = 0;
        long start = Stopwatch.GetTimestamp();
        Generation generation = await _engine.GenerateAsync(request, cancellationToken).ConfigureAwait(false);
        await foreach (GeneratedToken _ in generation.ConfigureAwait(false))
        {
            tokens++;
        }

        return Stopwatch.GetElapsedTime(start).TotalMilliseconds / Math.Max(tokens, 1);
    }
}
