using System.Diagnostics;
using LoraServe.Models;
using LoraServe.Serving;
using LoraServe.Training.Methods;

namespace LoraServe.Cli.Study;

/// <summary>Serves adapters as a server does and measures what a token costs with them.</summary>
internal sealed class LatencyMeasurement(LoadedModel model, int threads) : IAsyncDisposable
{
    private const int Repetitions = 7;
    private const int MostPromptTokens = 64;
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
        IReadOnlyList<TrainingMethod> methods = MethodCatalog.Find(method);
        var adapters = new List<AdapterReference>();
        foreach (TrainingMethod part in methods)
        {
            string name = FormattableString.Invariant($"study-{++_published}");
            await _engine.Adapters.PublishAsync(name, methods.Count == 1 ? folder : Path.Combine(folder, part.Name), cancellationToken: cancellationToken).ConfigureAwait(false);
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

    /// <summary>Mean time from one token to the next, from the first to the last.</summary>
    private async Task<double> TokenMillisecondsAsync(IReadOnlyList<AdapterReference> adapters, CancellationToken cancellationToken)
    {
        int room = model.Transformer.Spec.ContextLength / ContextParts;
        var random = new Random(0);
        var request = new GenerationRequest
        {
            PromptTokens = [.. Enumerable.Range(0, Math.Clamp(room, 1, MostPromptTokens)).Select(_ => random.Next(model.Transformer.VocabularySize))],
            Adapters = adapters,
            Sampling = new SamplingOptions { MaxTokens = Math.Clamp(room, 2, MostTokens), IgnoreEndToken = true },
        };
        long first = 0;
        int tokens = 0;
        Generation generation = await _engine.GenerateAsync(request, cancellationToken).ConfigureAwait(false);
        await foreach (GeneratedToken _ in generation.ConfigureAwait(false))
        {
            first = tokens++ == 0 ? Stopwatch.GetTimestamp() : first;
        }

        return Stopwatch.GetElapsedTime(first).TotalMilliseconds / Math.Max(tokens - 1, 1);
    }
}
