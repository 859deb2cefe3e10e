using LoraServe.Adapters.Resident;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;

namespace LoraServe.Models.Forward;

/// <summary>Runs one sequence through a model with a cache of its own, away from any server: for tools, probes and checks.</summary>
public sealed class SingleSequence : IDisposable
{
    private readonly KvPool _pages;
    private readonly TransformerRunner _runner;
    private readonly TokenBatch _batch = new();
    private readonly int[] _pageIds;
    private readonly ResidentAdapter[] _adapters;
    private readonly AdapterUse[] _uses;
    private int _promptLength;

    /// <summary>An empty sequence.</summary>
    /// <param name="model">The base model.</param>
    /// <param name="pool">The workers.</param>
    /// <param name="capacity">Most tokens that it will hold.</param>
    /// <param name="adapters">Adapters that act on it, one after another.</param>
    public SingleSequence(Transformer model, WorkerPool pool, int capacity, params ReadOnlySpan<ResidentAdapter> adapters)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _pageIds = [.. Enumerable.Range(0, (capacity + KvPool.PageTokens - 1) / KvPool.PageTokens)];
        _pages = new KvPool(model.Spec, _pageIds.Length, ElementType.F32);
        _runner = new TransformerRunner(model, _pages, pool);
        _adapters = adapters.ToArray();
        _uses = new AdapterUse[_adapters.Length];
    }

    /// <summary>Tokens so far.</summary>
    public int Length { get; private set; }

    /// <summary>Begins anew with a prompt, of which <see cref="Advance"/> then takes one part after another.</summary>
    /// <param name="prompt">The whole prompt.</param>
    public void Begin(ReadOnlySpan<int> prompt)
    {
        Length = 0;
        _promptLength = prompt.Length;
        for (int i = 0; i < _adapters.Length; i++)
        {
            _uses[i] = AdapterUse.InPrompt(_adapters[i], weight: 1, prompt);
        }
    }

    /// <summary>Appends tokens: the next part of the prompt, or what comes after it.</summary>
    /// <param name="tokens">At least one; together with those before no more than the capacity.</param>
    /// <param name="output">Of which tokens the result is wanted.</param>
    /// <returns>Logits [wanted rows, V], valid until the next call.</returns>
    public Rows Advance(ReadOnlySpan<int> tokens, SegmentOutput output)
    {
        _batch.Clear();
        int end = Length + tokens.Length;
        _batch.Add(new SegmentRequest
        {
            Tokens = tokens,
            FirstPosition = Length,
            Pages = _pageIds.AsSpan(0, (end + KvPool.PageTokens - 1) / KvPool.PageTokens),
            PromptLength = _promptLength,
            Adapters = _uses,
            Output = output,
        });
        Rows logits = _runner.Forward(_batch);
        Length = end;
        return logits;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _runner.Dispose();
        _pages.Dispose();
    }
}
