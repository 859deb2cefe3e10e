using LoraServe.Adapters.Resident;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Training.Data;

namespace LoraServe.Training.Autograd;

/// <summary>Runs ragged batches forth and back: any number of adapters, each with examples of its own, in one pass.</summary>
/// <remarks>Each adapter's losses and derivatives are the same bits as if it had been alone in the batch.</remarks>
internal sealed class TrainingPass : IDisposable
{
    private const int FirstPages = 64;
    private readonly Transformer _model;
    private readonly WorkerPool _pool;
    private readonly TokenBatch _batch = new();
    private KvPool? _pages;
    private EagerOps? _eager;
    private TapeOps? _tape;
    private HeadLoss? _head;

    /// <summary>A pass over a model.</summary>
    /// <param name="model">The frozen base, in exact arithmetic.</param>
    /// <param name="pool">The workers.</param>
    public TrainingPass(Transformer model, WorkerPool pool)
    {
        _model = model;
        _pool = pool;
    }

    /// <summary>The workers.</summary>
    public WorkerPool Pool => _pool;

    /// <summary>Rows of the last batch.</summary>
    public int RowCount => _batch.RowCount;

    /// <summary>Computes each share's losses and, where it is trained, adds its derivatives.</summary>
    /// <param name="shares">Each adapter at most once.</param>
    /// <param name="checkpointsActivations">Whether only each layer's input is kept and the layer run again on the way back; changes no bit.</param>
    public void Run(IReadOnlyList<BatchShare> shares, bool checkpointsActivations = false)
    {
        Build(shares, out int[][] targets);
        _tape!.BeginStep(
            _batch,
            shares.Where(share => share.Gradients is not null).Select(share => KeyValuePair.Create(share.Adapter!, share.Gradients!)),
            checkpointsActivations,
            input => AddLosses(input, shares, targets));
        _tape.Forward(_batch);
        _tape.Backward(_batch);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _tape?.Dispose();
        _eager?.Dispose();
        _pages?.Dispose();
    }

    private void AddLosses(TapeValue input, IReadOnlyList<BatchShare> shares, int[][] targets)
    {
        int first = 0;
        for (int i = 0; i < shares.Count; i++)
        {
            BatchShare share = shares[i];
            share.Losses = new float[targets[i].Length];
            share.Hits = new bool[share.WantsHits ? targets[i].Length : 0];
            float[]? coefficients = Coefficients(input, share, first, targets[i]);
            if (coefficients is not null || share.Coefficients is null)
            {
                _head!.Run(input, _batch, first, targets[i], coefficients, share.Smoothing, share.Losses, share.Hits);
            }

            first += targets[i].Length;
        }
    }

    private float[]? Coefficients(TapeValue input, BatchShare share, int first, int[] targets)
    {
        if (share.UniformCoefficient is { } uniform)
        {
            float[] same = new float[targets.Length];
            Array.Fill(same, uniform);
            return same;
        }

        if (share.Coefficients is not { } rule)
        {
            return null;
        }

        _head!.Run(input, _batch, first, targets, null, share.Smoothing, share.Losses, []);
        float[] coefficients = new float[targets.Length];
        rule(share, coefficients);
        return coefficients;
    }

    private void Build(IReadOnlyList<BatchShare> shares, out int[][] targets)
    {
        _batch.Clear();
        targets = new int[shares.Count][];
        int page = 0;
        var tokens = new List<int>();
        var outputs = new List<int>();
        for (int i = 0; i < shares.Count; i++)
        {
            BatchShare share = shares[i];
            var shareTargets = new List<int>();
            AdapterUse[] uses = share.Adapter is { } adapter ? [new AdapterUse(adapter), .. share.Beside.Select(beside => new AdapterUse(beside))] : [];
            ResidentAdapter? ahead = uses.Select(use => use.Adapter).FirstOrDefault(use => use.VirtualRows > 0);
            int virtualRows = ahead?.VirtualRows ?? 0;
            share.LabelledTokens = new int[share.Examples.Count];
            for (int row = 0; row < share.Examples.Count; row++)
            {
                tokens.Clear();
                tokens.AddRange(VirtualRow.Tokens(virtualRows));
                tokens.AddRange(share.Examples[row].Tokens);
                outputs.Clear();
                int[] labels = share.Examples[row].Labels;
                for (int t = LabelledTokens.First(ahead); t < labels.Length; t++)
                {
                    if (labels[t] != TrainingExample.NoLabel)
                    {
                        outputs.Add(virtualRows + t - 1);
                        shareTargets.Add(labels[t]);
                    }
                }

                share.LabelledTokens[row] = outputs.Count;
                int pages = (tokens.Count + KvPool.PageTokens - 1) / KvPool.PageTokens;
                _batch.Add(new SegmentRequest
                {
                    Tokens = tokens.ToArray(),
                    Pages = Enumerable.Range(page, pages).ToArray(),
                    PromptLength = tokens.Count,
                    Adapters = uses,
                    Output = SegmentOutput.SelectedLogits,
                    OutputRows = outputs.ToArray(),
                });
                page += pages;
            }

            targets[i] = [.. shareTargets];
        }

        Reserve(page);
    }

    private void Reserve(int pages)
    {
        if (_pages is not null && _pages.PageCount >= pages)
        {
            return;
        }

        int count = Math.Max(pages, Math.Max(FirstPages, (_pages?.PageCount ?? 0) * 3 / 2));
        Dispose();
        _pages = new KvPool(_model.Spec, count, ElementType.F32);
        _eager = new EagerOps(_model, _pages, _pool);
        _tape = new TapeOps(_model, _eager, _pool);
        _head = new HeadLoss(_model.Spec, _eager, _tape, _pool);
    }
}
