using LoraServe.Adapters.Edits;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Models.Forward;

/// <summary>Runs each operation at once, in scratch memory that every layer uses anew.</summary>
/// <remarks>What an operation needs only meanwhile it gives back: where no layer is begun, all results stay until the next step, and nothing else.</remarks>
internal sealed unsafe class EagerOps(TransformerSpec spec, KvPool pages, WorkerPool pool) : IForwardOps<Rows>, IDisposable
{
    private readonly ScratchArena _scratch = new();
    private readonly RopeTables _rope = new(spec.Rope, spec.HeadSize);
    private readonly CachedAttention _attention = new(spec, pages, pool);
    private readonly LinearGroup _linears = new();
    private readonly BottleneckEdits _bottlenecks = new();
    private long _layerMark;

    /// <summary>Where results lie.</summary>
    public ScratchArena Scratch => _scratch;

    /// <summary>Cosines and sines of the step's rows, [T, K].</summary>
    public Rows Turns { get; private set; }

    /// <summary>Begins a step: everything that earlier steps made is given up.</summary>
    public void BeginStep(TokenBatch batch)
    {
        _scratch.Reset();
        Turns = _rope.Fill(batch, _scratch);
        _attention.Plan(batch, _scratch);
    }

    public Rows Embed(Transformer weights, TokenBatch batch)
    {
        Rows x = _scratch.Rent(batch.RowCount, spec.Width);
        RowLoop.Run(pool, batch.RowCount, Operations(x, 4), new EmbedKernel(weights, batch, x));
        _layerMark = _scratch.Mark();
        return x;
    }

    public Rows BeginLayer(int layer, Rows x)
    {
        _scratch.Release(_layerMark);
        return x;
    }

    public Rows Norm(Rows x, NativeBuffer gains, NormSite site, RowGroup rows) => Norm(x, gains, site, rows, _scratch.Rent(x.Count, x.Width));

    /// <summary>Norms into rows that the caller has.</summary>
    public Rows Norm(Rows x, NativeBuffer gains, NormSite site, RowGroup rows, Rows y)
    {
        RowLoop.Run(pool, x.Count, Operations(x, 1), new NormKernel(x, (float*)gains.Pointer, spec.NormEpsilon, y));
        foreach (EditRun run in rows.Runs)
        {
            if (run.Adapter.At(site) is not null)
            {
                NormEdited(x, (float*)gains.Pointer, site, rows.Runs, run, y);
            }
        }

        return y;
    }

    public Rows Linear(Rows x, LinearWeights map, RowGroup rows)
    {
        Rows y = _scratch.Rent(x.Count, map.Matrix.Outputs);
        _linears.Run(pool, _scratch, x, rows, [map], [y], default);
        return y;
    }

    public (Rows First, Rows Second) Linear(Rows x, LinearWeights first, LinearWeights second, RowGroup rows)
    {
        Rows a = _scratch.Rent(x.Count, first.Matrix.Outputs);
        Rows b = _scratch.Rent(x.Count, second.Matrix.Outputs);
        _linears.Run(pool, _scratch, x, rows, [first, second], [a, b], default);
        return (a, b);
    }

    public (Rows First, Rows Second, Rows Third) Linear(Rows x, LinearWeights first, LinearWeights second, LinearWeights third, RowGroup rows)
    {
        Rows a = _scratch.Rent(x.Count, first.Matrix.Outputs);
        Rows b = _scratch.Rent(x.Count, second.Matrix.Outputs);
        Rows c = _scratch.Rent(x.Count, third.Matrix.Outputs);
        _linears.Run(pool, _scratch, x, rows, [first, second, third], [a, b, c], default);
        return (a, b, c);
    }

    public Rows AddLinear(Rows residual, Rows x, LinearWeights map, RowGroup rows)
    {
        long mark = _scratch.Mark();
        Rows y = _scratch.Rent(x.Count, map.Matrix.Outputs);
        if (_bottlenecks.Plan(map.Site, rows.Runs))
        {
            _linears.Run(pool, _scratch, x, rows, [map], [y], default);
            _bottlenecks.Run(pool, _scratch, y, residual);
        }
        else
        {
            _linears.Run(pool, _scratch, x, rows, [map], [y], residual);
        }

        _scratch.Release(mark);
        return residual;
    }

    public Rows Rotate(Rows heads, TokenBatch batch)
    {
        RowLoop.Run(pool, heads.Count, Operations(heads, 1), new RotateKernel(heads, Turns));
        return heads;
    }

    public Rows Attend(Rows queries, Rows keys, Rows values, int layer, TokenBatch batch)
    {
        PlacePrefixes(keys, values, layer, batch.VirtualRows);
        Rows outputs = _scratch.Rent(queries.Count, queries.Width);
        _attention.Run(queries, keys, values, layer, outputs);
        return outputs;
    }

    public Rows SiluMultiply(Rows gate, Rows up) => SiluMultiply(gate, up, gate);

    /// <summary>Multiplies into rows that the caller has; they may be either factor's.</summary>
    public Rows SiluMultiply(Rows gate, Rows up, Rows product)
    {
        RowLoop.Run(pool, gate.Count, Operations(gate, 4), new SiluMultiplyKernel(gate, up, product));
        return product;
    }

    public Rows Gather(Rows x, RowGroup rows)
    {
        Rows selected = _scratch.Rent(rows.Count, x.Width);
        for (int i = 0; i < rows.Count; i++)
        {
            x.Span(rows.Sources[i]).CopyTo(selected.Span(i));
        }

        return selected;
    }

    public void Dispose() => _scratch.Dispose();

    private static long Operations(Rows rows, int perElement) => (long)rows.Count * rows.Width * perElement;

    /// <summary>Gives the rows of a prefix the keys and values that the adapter brings instead of their own.</summary>
    private static void PlacePrefixes(Rows keys, Rows values, int layer, ReadOnlySpan<VirtualRow> virtualRows)
    {
        foreach (ref readonly VirtualRow row in virtualRows)
        {
            if (row.Adapter.PrefixAt(layer) is { } prefix)
            {
                long start = (long)row.Index * prefix.Width;
                new Span<float>((float*)prefix.Keys + start, prefix.Width).CopyTo(keys.Span(row.Row));
                RowArithmetic.Multiply((float*)prefix.Values + start, row.Weight, values[row.Row], prefix.Width);
            }
        }
    }

    /// <summary>Norms a run's rows again with the gains that all adapters of its stack make together.</summary>
    private void NormEdited(Rows x, float* gains, NormSite site, ReadOnlySpan<EditRun> runs, EditRun run, Rows y)
    {
        long mark = _scratch.Mark();
        Rows edited = _scratch.Rent(1, x.Width);
        for (int t = run.FirstRow; t < run.EndRow; t++)
        {
            new Span<float>(gains, x.Width).CopyTo(edited.Span(0));
            foreach (EditRun other in runs)
            {
                if (other.FirstRow <= t && t < other.EndRow && other.Adapter.At(site) is { } edit)
                {
                    edit.Apply(other.Weight, edited.Span(0));
                }
            }

            RmsNorm.Run(x.Slice(t, 1), edited[0], spec.NormEpsilon, y.Slice(t, 1));
        }

        _scratch.Release(mark);
    }

    private readonly struct EmbedKernel(Transformer weights, TokenBatch batch, Rows x) : IRowKernel
    {
        public void Run(int first, int end)
        {
            for (int t = first; t < end; t++)
            {
                if (batch.Tokens[t] >= 0)
                {
                    weights.TokenTable.CopyRow(batch.Tokens[t], x.Span(t));
                }
                else
                {
                    x.Span(t).Clear();
                }
            }

            foreach (EditRun run in batch.All.Runs)
            {
                if (run.Adapter.Embedding is { } edit)
                {
                    for (int t = Math.Max(first, run.FirstRow); t < Math.Min(end, run.EndRow); t++)
                    {
                        if (batch.Tokens[t] >= 0)
                        {
                            edit.Apply(batch.Tokens[t], run.Weight, x.Span(t));
                        }
                    }
                }
            }

            foreach (VirtualRow row in batch.VirtualRows)
            {
                if (row.Row >= first && row.Row < end && row.Adapter.VirtualEmbeddings != 0)
                {
                    RowArithmetic.Multiply((float*)row.Adapter.VirtualEmbeddings + ((long)row.Index * x.Width), row.Weight, x[row.Row], x.Width);
                }
            }
        }
    }

    private readonly struct NormKernel(Rows x, float* gains, float epsilon, Rows y) : IRowKernel
    {
        public void Run(int first, int end) => RmsNorm.Run(x.Slice(first, end - first), gains, epsilon, y.Slice(first, end - first));
    }

    private readonly struct RotateKernel(Rows heads, Rows turns) : IRowKernel
    {
        public void Run(int first, int end) => Rope.Run(heads.Slice(first, end - first), turns.Slice(first, end - first));
    }

    private readonly struct SiluMultiplyKernel(Rows gate, Rows up, Rows product) : IRowKernel
    {
        public void Run(int first, int end) =>
            Compute.Kernels.SiluMultiply.Run(gate.Slice(first, end - first), up.Slice(first, end - first), product.Slice(first, end - first));
    }
}
