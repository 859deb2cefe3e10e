using LoraServe.Adapters.Edits;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Resident;
using LoraServe.Cpu.Weights;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Forward;

/// <summary>Runs each operation at once, in scratch memory that every layer uses anew.</summary>
/// <remarks>What an operation needs only meanwhile it gives back: where no layer is begun, all results stay until the next step, and nothing else.</remarks>
internal sealed unsafe class EagerOps(PackedWeights model, KvPool pages, WorkerPool pool) : IForwardOps<Rows>, IDisposable
{
    private readonly TransformerSpec _spec = model.Spec;
    private readonly ScratchArena _scratch = new();
    private readonly RopeTables _rope = new(model.Spec.Rope, model.Spec.HeadSize);
    private readonly CachedAttention _attention = new(model.Spec, pages, pool);
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
        Turns = _scratch.Rent(batch.RowCount, _spec.HeadSize);
        _rope.Fill(batch, Turns);
        _attention.Plan(batch, _scratch);
    }

    public Rows Embed(TokenBatch batch)
    {
        Rows x = _scratch.Rent(batch.RowCount, _spec.Width);
        RowLoop.Run(pool, batch.RowCount, Operations(x, 4), new EmbedKernel(model, batch, x));
        _layerMark = _scratch.Mark();
        return x;
    }

    public Rows BeginLayer(int layer, Rows x)
    {
        _scratch.Release(_layerMark);
        return x;
    }

    public Rows Norm(Rows x, NormSite site, RowGroup rows) => Norm(x, site, rows, _scratch.Rent(x.Count, x.Width));

    /// <summary>Norms into rows that the caller has.</summary>
    public Rows Norm(Rows x, NormSite site, RowGroup rows, Rows y)
    {
        float* gains = (float*)model.Norm(site).Pointer;
        RowLoop.Run(pool, x.Count, Operations(x, 1), new NormKernel(x, gains, _spec.NormEpsilon, y));
        foreach (EditRun run in rows.Runs)
        {
            if (run.Edits.At(site) is not null)
            {
                NormEdited(x, gains, site, rows.Runs, run, y);
            }
        }

        return y;
    }

    /// <summary>A linear map with its bias and the adapters' edits: [T, outputs].</summary>
    public Rows Linear(Rows x, Site site, RowGroup rows)
    {
        LinearWeights map = model.Linear(site);
        Rows y = Output(x, map);
        _linears.Run(pool, _scratch, x, rows, [map], [y], default);
        return y;
    }

    public (Rows First, Rows Second) Linear(Rows x, Site first, Site second, RowGroup rows)
    {
        (LinearWeights one, LinearWeights two) = (model.Linear(first), model.Linear(second));
        (Rows a, Rows b) = (Output(x, one), Output(x, two));
        _linears.Run(pool, _scratch, x, rows, [one, two], [a, b], default);
        return (a, b);
    }

    public (Rows First, Rows Second, Rows Third) Linear(Rows x, Site first, Site second, Site third, RowGroup rows)
    {
        (LinearWeights one, LinearWeights two, LinearWeights three) = (model.Linear(first), model.Linear(second), model.Linear(third));
        (Rows a, Rows b, Rows c) = (Output(x, one), Output(x, two), Output(x, three));
        _linears.Run(pool, _scratch, x, rows, [one, two, three], [a, b, c], default);
        return (a, b, c);
    }

    public Rows AddLinear(Rows residual, Rows x, Site site, NormSite? after, RowGroup rows)
    {
        long mark = _scratch.Mark();
        if (after is null && !BottleneckEdits.Any(site, rows.Runs))
        {
            LinearWeights map = model.Linear(site);
            _linears.Run(pool, _scratch, x, rows, [map], [Output(x, map)], residual);
        }
        else
        {
            Rows sublayer = Linear(x, site, rows);
            AddSublayer(residual, after is { } norm ? Norm(sublayer, norm, rows) : sublayer, site, rows);
        }

        _scratch.Release(mark);
        return residual;
    }

    /// <summary>Adds a sublayer's result, with what bottleneck adapters make of it, to the residual stream.</summary>
    public void AddSublayer(Rows residual, Rows sublayer, Site site, RowGroup rows) =>
        _bottlenecks.Run(pool, _scratch, site, rows.Runs, sublayer, residual);

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

    public Rows GateMultiply(Rows gate, Rows up) => GateMultiply(gate, up, gate);

    /// <summary>Multiplies into rows that the caller has; they may be the gate's.</summary>
    public Rows GateMultiply(Rows gate, Rows up, Rows product)
    {
        RowLoop.Run(pool, gate.Count, Operations(gate, 4), new GateMultiplyKernel(_spec.MlpActivation, gate, up, product));
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

    public Rows Head(Rows x, RowGroup rows)
    {
        Rows logits = Linear(x, Site.Head, rows);
        if (_spec.LogitCap > 0)
        {
            RowLoop.Run(pool, logits.Count, Operations(logits, 4), new CapKernel(logits, _spec.LogitCap));
        }

        return logits;
    }

    public void Dispose() => _scratch.Dispose();

    private Rows Output(Rows x, LinearWeights map) => _scratch.Rent(x.Count, map.Matrix.Outputs);

    private static long Operations(Rows rows, int perElement) => (long)rows.Count * rows.Width * perElement;

    /// <summary>Gives the rows of a prefix the keys and values that the adapter brings instead of their own.</summary>
    private static void PlacePrefixes(Rows keys, Rows values, int layer, ReadOnlySpan<VirtualRow> virtualRows)
    {
        foreach (ref readonly VirtualRow row in virtualRows)
        {
            if (row.Edits.PrefixAt(layer) is { } prefix)
            {
                long start = (long)row.Index * prefix.Width;
                new Span<float>((float*)prefix.Keys + start, prefix.Width).CopyTo(keys.Span(row.Row));
                RowArithmetic.Multiply((float*)prefix.Values + start, row.Weight, values[row.Row], prefix.Width);
            }
        }
    }

    /// <summary>Norms a run's rows again with the gains that all adapters of its stack make together: what replaces them comes first, wherever it stands there.</summary>
    private void NormEdited(Rows x, float* gains, NormSite site, ReadOnlySpan<EditRun> runs, EditRun run, Rows y)
    {
        long mark = _scratch.Mark();
        Rows edited = _scratch.Rent(1, x.Width);
        for (int t = run.FirstRow; t < run.EndRow; t++)
        {
            new Span<float>(gains, x.Width).CopyTo(edited.Span(0));
            foreach (bool replaces in (ReadOnlySpan<bool>)[true, false])
            {
                foreach (EditRun other in runs)
                {
                    if (other.FirstRow <= t && t < other.EndRow && other.Edits.At(site) is { } edit && edit.Replaces == replaces)
                    {
                        edit.Apply(other.Weight, edited.Span(0));
                    }
                }
            }

            RmsNorm.Run(x.Slice(t, 1), edited[0], _spec.NormEpsilon, y.Slice(t, 1));
        }

        _scratch.Release(mark);
    }

    private readonly struct EmbedKernel(PackedWeights model, TokenBatch batch, Rows x) : IRowKernel
    {
        public void Run(int first, int end)
        {
            for (int t = first; t < end; t++)
            {
                if (batch.Tokens[t] >= 0)
                {
                    model.TokenTable.CopyRow(batch.Tokens[t], x.Span(t));
                }
                else
                {
                    x.Span(t).Clear();
                }
            }

            // What takes the table's place comes first, so that it is what other adapters of a stack edit, wherever it stands there.
            foreach (bool replaces in (ReadOnlySpan<bool>)[true, false])
            {
                foreach (EditRun run in batch.All.Runs)
                {
                    if (run.Edits.Embedding is { } edit && edit.Replaces == replaces)
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
            }

            foreach (VirtualRow row in batch.VirtualRows)
            {
                if (row.Row >= first && row.Row < end && row.Edits.VirtualEmbeddings != 0)
                {
                    RowArithmetic.Multiply((float*)row.Edits.VirtualEmbeddings + ((long)row.Index * x.Width), row.Weight, x[row.Row], x.Width);
                }
            }

            for (int t = first; t < end && model.Spec.EmbeddingScale != 1; t++)
            {
                RowArithmetic.Multiply(x[t], model.Spec.EmbeddingScale, x[t], x.Width);
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

    private readonly struct GateMultiplyKernel(Activation activation, Rows gate, Rows up, Rows product) : IRowKernel
    {
        public void Run(int first, int end) =>
            GatedProduct.Run(activation, gate.Slice(first, end - first), up.Slice(first, end - first), product.Slice(first, end - first));
    }

    private readonly struct CapKernel(Rows logits, float cap) : IRowKernel
    {
        public void Run(int first, int end)
        {
            for (int t = first; t < end; t++)
            {
                foreach (ref float logit in logits.Span(t))
                {
                    logit = cap * MathF.Tanh(logit / cap);
                }
            }
        }
    }
}
