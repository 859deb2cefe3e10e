using LoraServe.Adapters.Edits;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Cpu;
using LoraServe.Cpu.Forward;
using LoraServe.Cpu.Weights;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Benchmarks.Forward;

/// <summary>One step over sequences of equal shape, with and without adapters, ready to be timed over and over.</summary>
internal sealed class StepBatch : IDisposable
{
    private readonly PackedWeights _model;
    private readonly WorkerPool _pool;
    private readonly KvPool _pages;
    private readonly EagerOps _ops;
    private readonly TokenBatch _plain = new();
    private readonly TokenBatch _adapted = new();
    private readonly ScratchArena _products = new();

    /// <summary>Sequences of <paramref name="rows"/> new tokens after <paramref name="position"/> cached ones; sequence i uses adapter i modulo their number.</summary>
    public StepBatch(Transformer model, WorkerPool pool, int sequences, int rows, int position, ReadOnlySpan<ResidentAdapter> adapters)
    {
        _model = ((CpuTransformer)model).Packed;
        _pool = pool;
        int pagesEach = KvPage.Count(position + rows);
        _pages = new KvPool(model.Spec, sequences * pagesEach, ElementType.F16);
        _ops = new EagerOps(_model, _pages, pool);
        var random = new Random(1);
        for (int sequence = 0; sequence < sequences; sequence++)
        {
            var request = new SegmentRequest
            {
                Tokens = (int[])[.. Enumerable.Range(0, rows).Select(_ => random.Next(model.VocabularySize))],
                FirstPosition = position,
                Pages = (int[])[.. Enumerable.Range(sequence * pagesEach, pagesEach)],
                Output = SegmentOutput.LastLogits,
            };
            _plain.Add(request);
            _adapted.Add(new SegmentRequest
            {
                Tokens = request.Tokens,
                FirstPosition = position,
                Pages = request.Pages,
                Output = request.Output,
                Adapters = (AdapterUse[])[new AdapterUse(adapters[sequence % adapters.Length])],
            });
        }
    }

    public int RowCount => _plain.RowCount;

    /// <summary>Bytes of base matrices that a step reads at least once.</summary>
    public long WeightBytes => _model.Spec.Sites.Linears.Sum(site => _model.Linear(site).Matrix.ByteLength);

    public void RunPlain() => Run<EagerOps>(_ops, _plain);

    public void RunAdapted() => Run<EagerOps>(_ops, _adapted);

    public void RunTimed(TimedOps ops) => Run(ops, _adapted);

    public TimedOps Timed() => new(_ops);

    /// <summary>The step's products of base matrices and nothing else.</summary>
    public void RunProducts()
    {
        TransformerSpec spec = _model.Spec;
        _products.Reset();
        Rows wide = _products.Rent(RowCount, Math.Max(spec.FeedForwardWidth, spec.QueryHeads * spec.HeadSize));
        Rows a = _products.Rent(RowCount, wide.Width);
        Rows b = _products.Rent(RowCount, wide.Width);
        Rows c = _products.Rent(RowCount, wide.Width);
        Rows logits = _products.Rent(_plain.Logits.Count, _model.Spec.VocabularySize);
        long mark = _products.Mark();
        for (int layer = 0; layer < spec.LayerCount; layer++)
        {
            Multiply(wide, [At(SiteRole.Query), At(SiteRole.Key), At(SiteRole.Value)], [a, b, c]);
            Multiply(wide, [At(SiteRole.Output)], [a]);
            Multiply(wide, [At(SiteRole.Gate), At(SiteRole.Up)], [a, b]);
            Multiply(wide, [At(SiteRole.Down)], [a]);
            _products.Release(mark);

            PackedMatrix At(SiteRole role) => _model.Linear(new Site(layer, role)).Matrix;
        }

        Multiply(wide.Slice(0, logits.Count), [_model.Linear(Site.Head).Matrix], [logits]);
    }

    public void Dispose()
    {
        _ops.Dispose();
        _pages.Dispose();
        _products.Dispose();
    }

    private void Run<TOps>(TOps ops, TokenBatch batch)
        where TOps : IForwardOps<Rows>
    {
        _ops.BeginStep(batch);
        DecoderForward.Run<TOps, Rows>(ops, _model.Spec, batch);
    }

    private void Multiply(Rows x, ReadOnlySpan<PackedMatrix> matrices, ReadOnlySpan<Rows> outputs)
    {
        MatMulInput input = MatMulInput.Prepare(_pool, _products, x with { Width = matrices[0].Inputs }, matrices);
        var none = default(NoEpilogue);
        MatMul.Run(_pool, input, matrices, outputs, ref none);
    }

    private struct NoEpilogue : IMatMulEpilogue
    {
        public readonly void Apply(int part, int firstColumn, int columnCount)
        {
        }
    }
}
