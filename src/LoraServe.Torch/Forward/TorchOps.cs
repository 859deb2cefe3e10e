using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;
using LoraServe.Models.Forward;
using LoraServe.Torch.Native;
using LoraServe.Torch.Resident;
using LoraServe.Torch.Weights;

namespace LoraServe.Torch.Forward;

/// <summary>The operations of a forward pass on a device of libtorch. What serving does in place, training does not.</summary>
/// <param name="weights">The model's weights.</param>
/// <param name="products">How adapters' pairs are multiplied.</param>
internal abstract class TorchOps(TorchWeights weights, ProductChoice products) : IForwardOps<Tensor>, IDisposable
{
    // Far below any bounded score, so that its share is 0.
    private const double Unseen = -1e30;
    private readonly TransformerSpec _spec = weights.Spec;
    private TokenBatch _batch = null!;
    private DisposeScope? _layer;
    private Tensor? _stream;
    private ExpertSum? _experts;

    /// <summary>The model's weights.</summary>
    protected TorchWeights Weights { get; } = weights;

    /// <summary>What the step's operations share.</summary>
    protected StepTensors Step { get; } = new(weights, products);

    /// <summary>Whether keys and values are kept in pages beyond the step.</summary>
    protected abstract bool UsesPages { get; }

    /// <summary>Begins a step. All that it makes belongs to the caller's scope.</summary>
    public void BeginStep(TokenBatch batch)
    {
        _batch = batch;
        Step.Begin(batch, UsesPages);
    }

    /// <summary>Ends it, also one that failed.</summary>
    public virtual void EndStep()
    {
        EndLayer();
        _stream = null;
    }

    public virtual Tensor Embed(TokenBatch batch)
    {
        Tensor x = PlaceVirtualRows(Looked(Site.Embedding, Weights.TokenTable.Select(Step.Tokens), Step.Tokens, batch));
        x = _spec.EmbeddingScale == 1 ? x : x.Times(_spec.EmbeddingScale);
        return Weights.Positions is { } positions ? x.Plus(Looked(Site.Positions, positions.Select(Step.Positions), Step.Positions, batch)) : x;
    }

    public virtual Tensor BeginLayer(int layer, Tensor x)
    {
        if (_layer is not null && !ReferenceEquals(x, _stream))
        {
            x.MoveToOuterDisposeScope();
        }

        EndLayer();
        _layer = torch.NewDisposeScope();
        return _stream = x;
    }

    public Tensor Norm(Tensor x, NormSite site, RowGroup rows)
    {
        Tensor parameters = Weights.Norm(site);
        long width = _spec.NormWidth(site.Role);
        Tensor wide = As(x, ScalarType.Float32).reshape(x.shape[0], x.shape[1] / width, width);
        wide = _spec.CentresNorms ? wide.sub(wide.mean([-1], keepdim: true)) : wide;
        Tensor normed = wide.mul(wide.mul(wide).mean([-1], keepdim: true).Plus((double)_spec.NormEpsilon).rsqrt());
        Tensor y = Scaled(normed, parameters);
        return EditRows(y, rows, run => Of(run).At(site) is not null, (_, range) =>
        {
            Tensor edited = parameters;
            foreach (EditRun run in range.Runs)
            {
                edited = Of(run).At(site) is { Replaces: true } edit ? edit.Values : edited;
            }

            foreach (EditRun run in range.Runs)
            {
                edited = Of(run).At(site) is { Replaces: false } edit ? edited.Plus(edit.Values, run.Weight) : edited;
            }

            return Scaled(normed.narrow(0, range.First, range.Count), edited);
        });

        Tensor Scaled(Tensor rows, Tensor by)
        {
            Tensor scaled = rows.mul(by.narrow(0, 0, width));
            return As(_spec.CentresNorms ? scaled.Plus(by.narrow(0, width, width)) : scaled, Weights.Type).reshape(rows.shape[0], x.shape[1]);
        }
    }

    public Tensor Linear(Tensor x, Site site, RowGroup rows) => Linear(x, [site], rows)[0];

    public (Tensor First, Tensor Second) Linear(Tensor x, Site first, Site second, RowGroup rows)
    {
        Tensor[] y = Linear(x, [first, second], rows);
        return (y[0], y[1]);
    }

    public (Tensor First, Tensor Second, Tensor Third) Linear(Tensor x, Site first, Site second, Site third, RowGroup rows)
    {
        Tensor[] y = Linear(x, [first, second, third], rows);
        return (y[0], y[1], y[2]);
    }

    public Tensor AddLinear(Tensor residual, Tensor x, Site site, NormSite? after, RowGroup rows)
    {
        Tensor sublayer = Linear(x, [site], rows)[0];
        return AddSublayer(residual, after is { } norm ? Norm(sublayer, norm, rows) : sublayer, site, rows);
    }

    public Tensor AddExperts(Tensor residual, Tensor x, int layer, NormSite? after, RowGroup rows)
    {
        _experts ??= new ExpertSum(_spec.Experts!, Weights, this);
        Tensor sum = _experts.Run(x, layer, rows);
        return AddSublayer(residual, after is { } norm ? Norm(sum, norm, rows) : sum, new Site(layer, SiteRole.Router), rows);
    }

    public (Tensor Queries, Tensor Keys, Tensor Values) SplitHeads(Tensor fused)
    {
        long rows = fused.shape[0];
        if (_spec.FusesByHead)
        {
            Tensor byHead = fused.view(rows, -1, 3, _spec.HeadSize);
            return (Part(0), Part(1), Part(2));

            Tensor Part(int part) => byHead.select(2, part).reshape(rows, -1);
        }

        long width = (long)_spec.QueryHeads * _spec.HeadSize;
        return (fused.narrow(1, 0, width).contiguous(), fused.narrow(1, width, _spec.KeyWidth).contiguous(), fused.narrow(1, width + _spec.KeyWidth, _spec.KeyWidth).contiguous());
    }

    public (Tensor Gate, Tensor Up) SplitGate(Tensor fused) => (fused.narrow(1, 0, _spec.FeedForwardWidth), fused.narrow(1, _spec.FeedForwardWidth, _spec.FeedForwardWidth));

    public Tensor Activate(Tensor up) => Activations.Apply(GateActivation, up);

    public Tensor Rotate(Tensor heads, int layer, TokenBatch batch)
    {
        (Tensor cosines, Tensor sines) = Step.Turns(layer);
        long half = cosines.shape[2];
        Tensor split = heads.view(batch.RowCount, -1, _spec.HeadSize);
        (Tensor low, Tensor high) = (split.narrow(2, 0, half), split.narrow(2, half, half));
        (Tensor first, Tensor second) = (low.mul(cosines).sub(high.mul(sines)), high.mul(cosines).Plus(low.mul(sines)));
        return (2 * half == _spec.HeadSize ? torch.cat([first, second], 2) : torch.cat([first, second, split.narrow(2, 2 * half, _spec.HeadSize - (2 * half))], 2))
            .view(batch.RowCount, -1);
    }

    public Tensor Attend(Tensor queries, Tensor keys, Tensor values, int layer, TokenBatch batch)
    {
        (keys, values) = PlacePrefixes(keys, values, layer);
        (int heads, int size) = (_spec.KeyValueHeads, _spec.HeadSize);
        int headsInGroup = _spec.QueryHeads / heads;
        (Tensor allKeys, Tensor allValues) = Remember(layer, keys.view(batch.RowCount, heads, size), values.view(batch.RowCount, heads, size));
        float ownScale = 1 / MathF.Sqrt(size);
        if (_spec.AttentionScale != ownScale)
        {
            queries = queries.Times(_spec.AttentionScale / ownScale);
        }

        // Query heads that share a key/value head are rows of one attention: nothing is repeated for them.
        List<Tensor> parts = [];
        foreach (AttentionGroup group in Step.Groups)
        {
            (int n, int t) = (group.Segments, group.RowCount);
            Tensor q = (Step.Places is null && Step.Groups.Count == 1 ? queries : queries.index_select(0, group.Rows))
                .view(n, t, heads, headsInGroup, size).permute(0, 2, 1, 3, 4).reshape(n, heads, (long)t * headsInGroup, size);
            Tensor k = As(allKeys.index_select(0, group.Slots), Weights.Type).view(n, group.Length, heads, size).transpose(1, 2);
            Tensor v = As(allValues.index_select(0, group.Slots), Weights.Type).view(n, group.Length, heads, size).transpose(1, 2);
            Tensor mask = group.Mask(_spec.Windows[layer], headsInGroup);
            Tensor attended = _spec.ScoreCap > 0 ? BoundedAttention(q, k, v, mask, ownScale) : torch.nn.functional.scaled_dot_product_attention(q, k, v, mask);
            parts.Add(attended.view(n, heads, t, headsInGroup, size).permute(0, 2, 1, 3, 4).reshape((long)n * t, (long)heads * headsInGroup * size));
        }

        Tensor together = Join(parts);
        return Step.Places is { } places ? together.index_select(0, places) : together;
    }

    public abstract Tensor GateMultiply(Tensor gate, Tensor up);

    public virtual Tensor Gather(Tensor x, RowGroup rows) => Step.Sources(_batch, rows) is { } sources ? x.index_select(0, sources) : x;

    public virtual Tensor Head(Tensor x, RowGroup rows)
    {
        Tensor logits = Linear(x, [Site.Head], rows)[0];
        logits = _spec.LogitScale == 1 ? logits : logits.Times(_spec.LogitScale);
        return _spec.LogitCap > 0 ? logits.Times(1.0 / _spec.LogitCap).tanh().Times(_spec.LogitCap) : logits;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        EndStep();
        Step.Dispose();
    }

    /// <summary>What the gate goes through.</summary>
    protected Activation GateActivation => _spec.MlpActivation;

    /// <summary>to + factor·what; may take <paramref name="to"/>'s place.</summary>
    protected abstract Tensor Add(Tensor to, Tensor what, float factor);

    /// <summary>to + factor·x·Bᵀ; may take <paramref name="to"/>'s place.</summary>
    protected abstract Tensor AddProduct(Tensor to, Tensor x, Tensor b, float factor);

    /// <summary>Rows of which some were computed anew; may take the place of <paramref name="whole"/>.</summary>
    /// <param name="whole">All as they were.</param>
    /// <param name="parts">Views of them, in order and complete, each with what has become of it: the same where that was done in place, or nothing.</param>
    protected abstract Tensor Replace(Tensor whole, IReadOnlyList<(Tensor Before, Tensor After)> parts);

    /// <summary>Keeps keys and values of the batch's rows.</summary>
    /// <returns>All keys and values that the groups' slots count.</returns>
    protected abstract (Tensor Keys, Tensor Values) Remember(int layer, Tensor keys, Tensor values);

    /// <summary>The tensor in another type, or itself.</summary>
    protected static Tensor As(Tensor x, ScalarType type) => x.dtype == type ? x : x.to(type);

    /// <summary>Parts one after another.</summary>
    protected static Tensor Join(IReadOnlyList<Tensor> parts) => parts.Count == 1 ? parts[0] : torch.cat([.. parts]);

    private void EndLayer()
    {
        _layer?.Dispose();
        _layer = null;
    }

    /// <summary>Adds a sublayer's result by the model's share, with what bottleneck adapters make of it, to the residual stream.</summary>
    private Tensor AddSublayer(Tensor residual, Tensor sublayer, Site site, RowGroup rows)
    {
        sublayer = _spec.ResidualScale == 1 ? sublayer : sublayer.Times(_spec.ResidualScale);
        Tensor added = sublayer;
        if (Acts(rows, run => Of(run).At(site.Layer, site.PlaceAfter) is not null))
        {
            List<Tensor> parts = [];
            foreach (RowRange range in Step.Ranges(_batch, rows))
            {
                (Tensor sub, Tensor stream) = (sublayer.narrow(0, range.First, range.Count), residual.narrow(0, range.First, range.Count));
                Tensor sum = sub;
                foreach (EditRun run in range.Runs)
                {
                    if (Of(run).At(site.Layer, site.PlaceAfter) is { } edit)
                    {
                        sum = sum.Plus(Bottlenecks.Compute(edit, sub, stream, Weights.Type), run.Weight);
                    }
                }

                parts.Add(sum);
            }

            added = Join(parts);
        }

        return Add(residual, added, 1);
    }

    /// <summary>Attention with bounded scores, which libtorch's own has not.</summary>
    private Tensor BoundedAttention(Tensor q, Tensor k, Tensor v, Tensor mask, float scale)
    {
        Tensor scores = As(q.matmul(k.transpose(-1, -2)), ScalarType.Float32).Times(scale / _spec.ScoreCap).tanh().Times(_spec.ScoreCap);
        Tensor hidden = As(mask.logical_not(), ScalarType.Float32).Times(Unseen);
        return As(scores.Plus(hidden).softmax(-1), Weights.Type).matmul(v);
    }

    /// <summary>Rows that a table gave, with the adapters' edits of them.</summary>
    private Tensor Looked(Site table, Tensor x, Tensor indices, TokenBatch batch) => EditRows(x, batch.All, run => Of(run).AtTable(table) is not null, (part, range) =>
    {
        Tensor own = indices.narrow(0, range.First, range.Count);

        // What takes the table's place comes first, so that it is what other adapters of a stack edit, wherever it stands there.
        foreach (EditRun run in range.Runs.OrderByDescending(run => Of(run).AtTable(table)?.Replacement is not null))
        {
            if (Of(run).AtTable(table) is { } edit)
            {
                part = TableEdits.Apply(edit, run.Weight, own, ScalingsOf(batch.All, range), part);
            }
        }

        return part;
    });

    private static TorchAdapter Of(EditRun run) => (TorchAdapter)run.Adapter;

    private static bool Acts(RowGroup rows, Func<EditRun, bool> edits)
    {
        foreach (EditRun run in rows.Runs)
        {
            if (edits(run))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Computes the rows anew that adapters edit.</summary>
    private Tensor EditRows(Tensor y, RowGroup rows, Func<EditRun, bool> edits, Func<Tensor, RowRange, Tensor> edit)
    {
        if (!Acts(rows, edits))
        {
            return y;
        }

        List<(Tensor Before, Tensor After)> parts = [];
        foreach (RowRange range in Step.Ranges(_batch, rows))
        {
            Tensor part = y.narrow(0, range.First, range.Count);
            parts.Add((part, range.Runs.Any(edits) ? edit(part, range) : part));
        }

        return Replace(y, parts);
    }

    private Tensor[] Linear(Tensor x, Site[] sites, RowGroup rows)
    {
        bool onlyAdds = true;
        foreach (EditRun run in rows.Runs)
        {
            foreach (Site site in sites)
            {
                onlyAdds &= Of(run).At(site) is not { OnlyAdds: false };
            }
        }

        if (!onlyAdds)
        {
            return Array.ConvertAll(sites, site => LinearApart(x, site, rows));
        }

        Tensor[] results = Weights.Maps(sites[0]).Multiply(x);
        foreach (SlotRows slots in Step.Slots(rows))
        {
            Tensor? selected = null;
            for (int i = 0; i < sites.Length; i++)
            {
                if (slots.Arena.At(sites[i]) is { } pairs)
                {
                    slots.Add(results[i], selected ??= slots.Select(x), pairs);
                }
            }
        }

        for (int i = 0; i < sites.Length; i++)
        {
            Site site = sites[i];
            results[i] = EditRows(
                results[i],
                rows,
                run => Of(run).At(site) is { } edit && (edit.DoesMore || AddsPair(edit, run)),
                (part, range) => AddEdits(part, x, site, rows, range, AddsPair, addsBiases: true));
        }

        return results;

        bool AddsPair(LinearEdit edit, EditRun run) => !edit.IsInSlot || !Step.IsTogether(rows, run);
    }

    /// <summary>One map by itself: where its input is changed, its weight replaced or its product scaled before its bias.</summary>
    private Tensor LinearApart(Tensor x, Site site, RowGroup rows)
    {
        using Tensor weight = Weights.Map(site).Matrix.Values();
        Tensor? bias = Weights.Map(site).Bias;
        List<Tensor> parts = [];
        foreach (RowRange range in Step.Ranges(_batch, rows))
        {
            Tensor input = x.narrow(0, range.First, range.Count);
            (Tensor map, Tensor? summand) = (weight, bias);
            foreach (EditRun run in range.Runs)
            {
                if (Of(run).At(site) is { } edit)
                {
                    input = InputEdits.Apply(edit, run.Weight, input, Weights.Type);
                    (map, summand) = edit.Replacement is { } replacement ? (As(replacement, Weights.Type), edit.ReplacedBias) : (map, summand);
                }
            }

            Tensor y = AddEdits(torch.nn.functional.linear(input, map), x, site, rows, range, (_, _) => true, addsBiases: false);
            foreach (EditRun run in range.Runs)
            {
                y = Of(run).At(site)?.Bias is { } own ? Add(y, As(own, Weights.Type), run.Weight) : y;
            }

            parts.Add(summand is null ? y : Add(y, As(summand, Weights.Type), 1));
        }

        return Join(parts);
    }

    /// <summary>Adds what adapters make of a map's input to a range's part of its product.</summary>
    /// <param name="y">The range's product; may be changed.</param>
    /// <param name="x">The map's input, all rows.</param>
    /// <param name="site">The map.</param>
    /// <param name="rows">The adapters that act on the rows.</param>
    /// <param name="range">The range.</param>
    /// <param name="addsPair">Whether a run's low-rank pair is added here: not where it was with others'.</param>
    /// <param name="addsBiases">Whether the adapters' biases are added too: not where the product has not got its own yet.</param>
    private Tensor AddEdits(Tensor y, Tensor x, Site site, RowGroup rows, RowRange range, Func<LinearEdit, EditRun, bool> addsPair, bool addsBiases)
    {
        x = x.narrow(0, range.First, range.Count);
        foreach (EditRun run in range.Runs)
        {
            if (Of(run).At(site) is not { } edit)
            {
                continue;
            }

            if (edit.OutputGain is { } gain)
            {
                y = y.Plus(y.mul(As(gain, Weights.Type)), run.Weight);
            }

            if (edit is { A: { } a, B: { } b } && addsPair(edit, run))
            {
                Tensor down = torch.nn.functional.linear(x, As(a, Weights.Type));
                down = edit.RankScale is { } scale ? down.mul(As(scale, Weights.Type)) : down;
                down = edit.RankScalings is { } places ? down.mul(ScalingsOf(rows, range)!.index_select(1, places)) : down;
                y = edit.ProductScale is { } product
                    ? Add(y, torch.nn.functional.linear(down, As(b, Weights.Type)).mul(As(product, Weights.Type)), run.Weight * edit.Scale)
                    : AddProduct(y, down, As(b, Weights.Type), run.Weight * edit.Scale);
            }

            if (edit.Dense is { } dense)
            {
                y = AddProduct(y, x, As(dense, Weights.Type), run.Weight);
            }

            if (edit is { RowDeltas: { } changed, RowIds: { } ids })
            {
                y = y.PlusColumns(ids, torch.nn.functional.linear(x, As(changed, Weights.Type)), run.Weight);
            }

            if (addsBiases && edit.Bias is { } bias)
            {
                y = Add(y, As(bias, Weights.Type), run.Weight);
            }
        }

        return y;
    }

    /// <summary>What pairs are scaled by in the rows of a range, [rows, scalings]; null where no row's are.</summary>
    private Tensor? ScalingsOf(RowGroup rows, RowRange range) => Step.Scalings(rows)?.narrow(0, range.First, range.Count);

    private Tensor PlaceVirtualRows(Tensor x)
    {
        foreach ((TorchAdapter adapter, float weight, Tensor rows, Tensor indices) in Step.Virtual)
        {
            x = x.index_copy(0, rows, adapter.VirtualEmbeddings is { } embeddings
                ? As(embeddings.index_select(0, indices).Times(weight), Weights.Type)
                : torch.zeros(rows.shape[0], _spec.Width, dtype: Weights.Type, device: Weights.Device));
        }

        return x;
    }

    /// <summary>Gives the rows of a prefix the keys and values that the adapter brings instead of their own.</summary>
    private (Tensor Keys, Tensor Values) PlacePrefixes(Tensor keys, Tensor values, int layer)
    {
        foreach ((TorchAdapter adapter, float weight, Tensor rows, Tensor indices) in Step.Virtual)
        {
            if (adapter.PrefixAt(layer) is { } prefix)
            {
                keys = keys.index_copy(0, rows, As(prefix.Keys.index_select(0, indices), Weights.Type));
                values = values.index_copy(0, rows, As(prefix.Values.index_select(0, indices).Times(weight), Weights.Type));
            }
        }

        return (keys, values);
    }
}
