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
    private readonly RopeTables[] _ropes = [.. model.Spec.Ropes.Select(rope => new RopeTables(rope, model.Spec.HeadSize))];
    private readonly Rows[] _turns = new Rows[2];
    private readonly CachedAttention _attention = new(model.Spec, pages, pool);
    private readonly LinearGroup _linears = new();
    private readonly BottleneckEdits _bottlenecks = new();
    private readonly PromptEdits _prompts = new(model.Spec, pool);
    private ExpertSum? _experts;
    private long _layerMark;

    /// <summary>Where results lie.</summary>
    public ScratchArena Scratch => _scratch;

    /// <summary>Cosines and sines of the step's rows in a layer, [T, turned elements of a head].</summary>
    public Rows Turns(int layer) => _turns[ReferenceEquals(_spec.RopeOf(layer), _spec.Rope) ? 0 : 1];

    /// <summary>Begins a step: everything that earlier steps made is given up.</summary>
    public void BeginStep(TokenBatch batch)
    {
        _scratch.Reset();
        for (int i = 0; i < _ropes.Length; i++)
        {
            _turns[i] = _scratch.Rent(batch.RowCount, _ropes[i].Width);
            _ropes[i].Fill(batch, _turns[i]);
        }

        _attention.Plan(batch, _scratch);
    }

    public Rows Embed(TokenBatch batch)
    {
        Rows x = _scratch.Rent(batch.RowCount, _spec.Width);
        InputRows.Run(model, pool, _scratch, batch, x);
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
        RowLoop.Run(pool, x.Count, Operations(x, 1), new NormKernel(_spec, x, gains, _spec.NormWidth(site.Role), y));
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
        if (after is null && _spec.ResidualScale == 1 && !BottleneckEdits.Any(site, rows.Runs))
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

    /// <summary>Adds a sublayer's result by the model's share, with what bottleneck adapters make of it, to the residual stream.</summary>
    /// <param name="residual">The stream.</param>
    /// <param name="sublayer">The result; scaled in place.</param>
    /// <param name="site">The sublayer's last linear map.</param>
    /// <param name="rows">The adapters that act on the rows.</param>
    public void AddSublayer(Rows residual, Rows sublayer, Site site, RowGroup rows)
    {
        if (_spec.ResidualScale != 1)
        {
            Scale(sublayer, _spec.ResidualScale);
        }

        _bottlenecks.Run(pool, _scratch, site, rows.Runs, sublayer, residual);
    }

    public Rows AddExperts(Rows residual, Rows x, int layer, NormSite? after, RowGroup rows)
    {
        long mark = _scratch.Mark();
        _experts ??= new ExpertSum(_spec.Experts!, this);
        Rows sum = _experts.Run(x, layer, rows);
        AddSublayer(residual, after is { } norm ? Norm(sum, norm, rows) : sum, new Site(layer, SiteRole.Router), rows);
        _scratch.Release(mark);
        return residual;
    }

    public (Rows Queries, Rows Keys, Rows Values) SplitHeads(Rows fused)
    {
        int width = _spec.QueryHeads * _spec.HeadSize;
        if (!_spec.FusesByHead)
        {
            return (fused.Columns(0, width), fused.Columns(width, _spec.KeyWidth), fused.Columns(width + _spec.KeyWidth, _spec.KeyWidth));
        }

        (Rows q, Rows k, Rows v) = (_scratch.Rent(fused.Count, width), _scratch.Rent(fused.Count, width), _scratch.Rent(fused.Count, width));
        RowLoop.Run(pool, fused.Count, Operations(fused, 1), new SplitKernel(_spec, fused, q, k, v));
        return (q, k, v);
    }

    public (Rows Gate, Rows Up) SplitGate(Rows fused) => (fused.Columns(0, _spec.FeedForwardWidth), fused.Columns(_spec.FeedForwardWidth, _spec.FeedForwardWidth));

    public Rows Rotate(Rows heads, int layer, TokenBatch batch)
    {
        RowLoop.Run(pool, heads.Count, Operations(heads, 1), new RotateKernel(heads, _spec.HeadSize, Turns(layer)));
        return heads;
    }

    public Rows Attend(Rows queries, Rows keys, Rows values, int layer, TokenBatch batch)
    {
        PlacePrefixes(keys, values, layer, batch.VirtualRows);
        Rows outputs = _scratch.Rent(queries.Count, queries.Width);
        _attention.Run(queries, keys, values, layer, outputs);
        return outputs;
    }

    public Rows AttendPrompts(Rows target, Rows queries, int layer, PromptPlace place, RowGroup rows)
    {
        _prompts.Run(_scratch, queries, target, layer, place, rows.Runs);
        return target;
    }

    public Rows GateMultiply(Rows gate, Rows up) => GateMultiply(gate, up, gate);

    /// <summary>Multiplies into rows that the caller has; they may be the gate's.</summary>
    public Rows GateMultiply(Rows gate, Rows up, Rows product)
    {
        RowLoop.Run(pool, gate.Count, Operations(gate, 4), new GateMultiplyKernel(_spec.MlpActivation, gate, up, product));
        return product;
    }

    public Rows Activate(Rows up) => Activate(up, up);

    /// <summary>The activation into rows that the caller has; they may be its argument.</summary>
    public Rows Activate(Rows up, Rows activated)
    {
        RowLoop.Run(pool, up.Count, Operations(up, 4), new ActivateKernel(_spec.MlpActivation, up, activated));
        return activated;
    }

    public Rows Gather(Rows x, RowGroup rows) => Gather(x, rows.Sources);

    /// <summary>Copies of some rows.</summary>
    public Rows Gather(Rows x, ReadOnlySpan<int> rows)
    {
        Rows selected = _scratch.Rent(rows.Length, x.Width);
        for (int i = 0; i < rows.Length; i++)
        {
            x.Span(rows[i]).CopyTo(selected.Span(i));
        }

        return selected;
    }

    /// <summary>Multiplies rows in place.</summary>
    public void Scale(Rows rows, float factor) => RowLoop.Run(pool, rows.Count, Operations(rows, 1), new ScaleKernel(rows, factor));

    public Rows Head(Rows x, RowGroup rows)
    {
        Rows logits = Linear(x, Site.Head, rows);
        if (_spec.LogitScale != 1)
        {
            Scale(logits, _spec.LogitScale);
        }

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
        int width = _spec.NormWidth(site.Role);
        Rows edited = _scratch.Rent(1, _spec.CentresNorms ? 2 * width : width);
        for (int t = run.FirstRow; t < run.EndRow; t++)
        {
            new Span<float>(gains, edited.Width).CopyTo(edited.Span(0));
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

            RowNorm.Run(_spec, x.Slice(t, 1), edited[0], width, y.Slice(t, 1));
        }

        _scratch.Release(mark);
    }

    private readonly struct NormKernel(TransformerSpec spec, Rows x, float* parameters, int width, Rows y) : IRowKernel
    {
        public void Run(int first, int end) => RowNorm.Run(spec, x.Slice(first, end - first), parameters, width, y.Slice(first, end - first));
    }

    private readonly struct SplitKernel(TransformerSpec spec, Rows fused, Rows q, Rows k, Rows v) : IRowKernel
    {
        public void Run(int first, int end)
        {
            int count = end - first;
            FusedRows.Take(spec, fused.Slice(first, count), 0, q.Slice(first, count));
            FusedRows.Take(spec, fused.Slice(first, count), 1, k.Slice(first, count));
            FusedRows.Take(spec, fused.Slice(first, count), 2, v.Slice(first, count));
        }
    }

    private readonly struct ScaleKernel(Rows rows, float factor) : IRowKernel
    {
        public void Run(int first, int end)
        {
            for (int t = first; t < end; t++)
            {
                RowArithmetic.Multiply(rows[t], factor, rows[t], rows.Width);
            }
        }
    }

    private readonly struct ActivateKernel(Activation activation, Rows up, Rows activated) : IRowKernel
    {
        public void Run(int first, int end)
        {
            for (int t = first; t < end && up.Pointer != activated.Pointer; t++)
            {
                up.Span(t).CopyTo(activated.Span(t));
            }

            Activations.Run(activation, activated.Slice(first, end - first));
        }
    }

    private readonly struct RotateKernel(Rows heads, int headSize, Rows turns) : IRowKernel
    {
        public void Run(int first, int end) => Rope.Run(heads.Slice(first, end - first), headSize, turns.Slice(first, end - first));
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
