using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models.Forward;

namespace LoraServe.Models;

/// <summary>Runs one sequence through a model with a cache of its own, away from any server: for tools, probes and checks.</summary>
public sealed class SingleSequence : IDisposable
{
    private readonly IStepRunner _runner;
    private readonly TokenBatch _batch = new();
    private readonly int[] _pageIds;
    private readonly int[] _scoutPageIds;
    private readonly ResidentAdapter[] _adapters;
    private readonly AdapterUse[] _uses;
    private readonly int[] _virtualTokens;
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
        _adapters = adapters.ToArray();
        _uses = new AdapterUse[_adapters.Length];
        _virtualTokens = VirtualRow.Tokens(_adapters.Sum(adapter => adapter.VirtualRows));
        capacity += _virtualTokens.Length;
        int pages = KvPage.Count(capacity);
        _pageIds = [.. Enumerable.Range(0, pages)];
        _scoutPageIds = _adapters.Any(adapter => adapter.Classifier is not null) ? [.. Enumerable.Range(pages, pages)] : [];
        _runner = model.CreateRunner(pool, pages + _scoutPageIds.Length, ElementType.F32);
    }

    /// <summary>Tokens so far, without the virtual rows that adapters put ahead of them.</summary>
    public int Length { get; private set; }

    /// <summary>Begins anew with a prompt, of which <see cref="Advance"/> then takes one part after another.</summary>
    /// <param name="prompt">The whole prompt.</param>
    public void Begin(ReadOnlySpan<int> prompt)
    {
        Length = 0;
        _promptLength = _virtualTokens.Length + prompt.Length;
        for (int i = 0; i < _adapters.Length; i++)
        {
            _uses[i] = AdapterUse.InPrompt(_adapters[i], weight: 1, prompt, _virtualTokens.Length);
        }

        if (_virtualTokens.Length > 0)
        {
            Run(_virtualTokens, 0, SegmentOutput.None);
        }
    }

    /// <summary>Appends tokens: the next part of the prompt, or what comes after it.</summary>
    /// <param name="tokens">At least one; together with those before no more than the capacity.</param>
    /// <param name="output">Of which tokens the result is wanted.</param>
    /// <returns>Logits [wanted rows, V], valid until the next call.</returns>
    public Rows Advance(ReadOnlySpan<int> tokens, SegmentOutput output)
    {
        Rows logits = Run(tokens, _virtualTokens.Length + Length, output);
        Length += tokens.Length;
        return logits;
    }

    /// <inheritdoc />
    public void Dispose() => _runner.Dispose();

    private Rows Run(ReadOnlySpan<int> tokens, int firstPosition, SegmentOutput output)
    {
        int pages = KvPage.Count(firstPosition + tokens.Length);
        _batch.Clear();
        _batch.Add(new SegmentRequest
        {
            Tokens = tokens,
            FirstPosition = firstPosition,
            Pages = _pageIds.AsSpan(0, pages),
            ScoutPages = _scoutPageIds.AsSpan(0, Math.Min(pages, _scoutPageIds.Length)),
            PromptLength = _promptLength,
            Adapters = _uses,
            Output = output,
        });
        return _runner.Forward(_batch).Rows;
    }
}
