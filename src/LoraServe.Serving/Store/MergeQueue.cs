using LoraServe.Adapters.Merging;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store;

/// <summary>Keeps merging within its part of the process: one merge at a time, bounded in inputs, rank and memory before anything is read.</summary>
internal sealed class MergeQueue(EngineOptions options, int modelWidth, TimeProvider time) : IDisposable
{
    /// <summary>Merges that may wait for their turn. Each is a whole call of somebody, and takes seconds.</summary>
    private const int MaxWaiting = 16;

    private readonly QueueLimits _waiting = new(MaxWaiting, maxPerTenant: null, time);
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Checks how many adapters are to be combined, before they are looked up.</summary>
    /// <exception cref="EngineException">They are too many.</exception>
    public void CheckCount(int inputs)
    {
        if (inputs > options.MaxMergedAdapters)
        {
            throw new EngineException(EngineError.InvalidRequest, $"{inputs} adapters are to be combined; at most {options.MaxMergedAdapters} can be. Combine some of them first, and then the results.");
        }
    }

    /// <summary>Checks a merge by what is known of its inputs, before their files are read.</summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="combination">How they are to be combined.</param>
    /// <returns>The same with the bounds that it has to keep.</returns>
    /// <exception cref="EngineException">It cannot be, or would take too much.</exception>
    public CombinationOptions Bound(IReadOnlyCollection<AdapterManifest> inputs, CombinationOptions combination)
    {
        // An adapter that comes twice is read once.
        long read = inputs.DistinctBy(input => input.Digest).Sum(input => input.HostBytes);
        if (read > options.MergeBytes)
        {
            throw new EngineException(EngineError.InvalidRequest, $"The adapters take {read} bytes of memory; merging may take {options.MergeBytes}. Combine fewer at once.");
        }

        // No change of a module has a rank above the model's width.
        CombinationOptions bounded = combination with { MaximumRank = modelWidth, MaximumBytes = options.MergeBytes - read };
        try
        {
            AdapterCombination.Check([.. inputs.Select(input => input.MaximumRank)], bounded);
        }
        catch (MergeException refusal)
        {
            throw Refused(refusal);
        }

        return bounded;
    }

    /// <summary>Runs a merge when those that came before it are done.</summary>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="merge">The work; stops by itself when it is cancelled.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="EngineException">Too many wait already, or the adapters cannot be combined.</exception>
    public async Task RunAsync(string tenant, Action merge, CancellationToken cancellationToken)
    {
        _waiting.Enter(tenant);
        try
        {
            await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _waiting.Leave(tenant);
        }

        try
        {
            await Task.Run(merge, cancellationToken).ConfigureAwait(false);
        }
        catch (MergeException refusal)
        {
            throw Refused(refusal);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private static EngineException Refused(MergeException refusal) => new(EngineError.InvalidRequest, $"The adapters cannot be combined: {refusal.Message}", refusal);
}
