using System.Threading.Channels;
using LoraServe.Serving;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces.OpenAi.Completions;

/// <summary>The prompts of one request, each a request of the engine: all are answered, by the same adapters, or none. Disposing ends those that still run.</summary>
internal sealed class PromptBatch : IDisposable
{
    private const int ReadAhead = 64;

    private readonly CancellationTokenSource _ended;
    private readonly List<Generation> _generations = [];

    private PromptBatch(CancellationToken cancellationToken) => _ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

    /// <summary>The exact adapters that answer.</summary>
    public IReadOnlyList<ServedAdapter> Adapters => _generations[0].Adapters;

    /// <summary>How many answers each prompt has.</summary>
    public int Choices => _generations[0].Choices;

    /// <summary>How many prompts there are.</summary>
    public int Prompts => _generations.Count;

    /// <summary>What it cost so far; final once all tokens are read.</summary>
    public Usage Usage => Sum(_generations.Select(generation => generation.Usage));

    /// <summary>Has the engine begin with all prompts.</summary>
    /// <exception cref="EngineException">One of them is refused.</exception>
    public static async Task<PromptBatch> BeginAsync(InferenceEngine engine, IReadOnlyList<GenerationRequest> prompts, CancellationToken cancellationToken)
    {
        var batch = new PromptBatch(cancellationToken);
        try
        {
            foreach (GenerationRequest prompt in prompts)
            {
                // A name can mean another version by now; what the first prompt got answers the others.
                GenerationRequest same = batch._generations.Count == 0 ? prompt
                    : prompt with { Adapters = [.. batch.Adapters.Select(adapter => new AdapterReference($"{adapter.Name}@{adapter.Version}", adapter.Weight, adapter.Task))] };
                batch._generations.Add(await engine.GenerateAsync(same, batch._ended.Token).ConfigureAwait(false));
            }

            return batch;
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }

    /// <summary>The prompt that comes in front of its answers; null where that was not asked for.</summary>
    public EchoedPrompt? EchoOf(int prompt) => _generations[prompt].Echo;

    /// <summary>Waits for all answers.</summary>
    public Task<CollectedAnswer[]> CollectAsync() => Task.WhenAll(_generations.Select(EndWithAllAsync));

    /// <summary>The tokens of all prompts as they come.</summary>
    public async IAsyncEnumerable<(int Prompt, GeneratedToken Token)> ReadAsync()
    {
        var tokens = Channel.CreateBounded<(int, GeneratedToken)>(ReadAhead);
        Task reading = Task.WhenAll(_generations.Select((generation, prompt) => PassOnAsync(generation, prompt, tokens.Writer)))
            .ContinueWith(all => tokens.Writer.TryComplete(all.Exception?.InnerException), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        try
        {
            await foreach ((int, GeneratedToken) token in tokens.Reader.ReadAllAsync(_ended.Token).ConfigureAwait(false))
            {
                yield return token;
            }
        }
        finally
        {
            await _ended.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _ended.Cancel();
        _ended.Dispose();
    }

    private async Task PassOnAsync(Generation generation, int prompt, ChannelWriter<(int, GeneratedToken)> tokens)
    {
        try
        {
            await foreach (GeneratedToken token in generation.WithCancellation(_ended.Token).ConfigureAwait(false))
            {
                await tokens.WriteAsync((prompt, token), _ended.Token).ConfigureAwait(false);
            }
        }
        catch (EngineException failure)
        {
            tokens.TryComplete(failure);
            throw;
        }
    }

    // One that fails ends the others, which nobody waits for then.
    private async Task<CollectedAnswer> EndWithAllAsync(Generation generation)
    {
        try
        {
            return await CollectedAnswer.OfAsync(generation, _ended.Token).ConfigureAwait(false);
        }
        catch (EngineException)
        {
            await _ended.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static Usage Sum(IEnumerable<Usage> costs) => costs.Aggregate((sum, cost) =>
        new Usage(sum.PromptTokens + cost.PromptTokens, sum.CompletionTokens + cost.CompletionTokens, sum.CachedPromptTokens + cost.CachedPromptTokens));
}
