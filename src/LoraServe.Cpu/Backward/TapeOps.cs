using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Forward;
using LoraServe.Cpu.Resident;
using LoraServe.Cpu.Weights;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Cpu.Backward;

/// <summary>Runs each operation as serving does, with the very same kernels, and records how to go back through it.</summary>
/// <remarks>
/// Results stay in scratch until the step's end, so an operation that serving does in place gets a copy where the way back
/// needs what was there; those that are quickly made again (norms, the gated product) do not stay. Nothing is recorded of what
/// no trained part comes before.
/// </remarks>
internal sealed unsafe class TapeOps : IForwardOps<TapeValue>, IDisposable
{
    private readonly PackedWeights _model;
    private readonly EagerOps _eager;
    private readonly WorkerPool _pool;
    private readonly List<Action> _records = [];
    private readonly List<TapeValue> _layerInputs = [];
    private readonly ScratchArena _gradients = new();
    private readonly ScratchArena _kept = new();
    private readonly Dictionary<ResidentAdapter, EditGradients> _trained = [];
    private readonly LinearBackward _linear;
    private readonly NormBackward _norm;
    private readonly AttentionGradient _attention;
    private readonly BottleneckBackward _bottleneck;
    private readonly PromptEdits _prompts;
    private readonly ReusedRows _normed;
    private readonly ReusedRows _mlpNormed;
    private readonly ReusedRows _products;
    private TapeValue? _embedded;
    private TapeValue? _last;
    private Action<TapeValue> _atHead = _ => { };
    private bool _checkpointsActivations;
    private bool _isRecording;
    private long _layerMark;

    /// <summary>A tape over serving's operations.</summary>
    /// <param name="model">The model, in exact arithmetic.</param>
    /// <param name="eager">What runs the operations.</param>
    /// <param name="pool">The workers.</param>
    public TapeOps(PackedWeights model, EagerOps eager, WorkerPool pool)
    {
        TransformerSpec spec = model.Spec;
        _model = model;
        _eager = eager;
        _pool = pool;
        _linear = new LinearBackward(pool, _gradients);
        _norm = new NormBackward(spec, pool, _gradients);
        _attention = new AttentionGradient(spec, pool, _gradients);
        _bottleneck = new BottleneckBackward(pool, _gradients);
        _prompts = new PromptEdits(spec, pool);
        _normed = new ReusedRows(_kept);
        _mlpNormed = spec.AddsInParallel ? new ReusedRows(_kept) : _normed;
        _products = new ReusedRows(_kept);
    }

    /// <summary>Begins a step: everything that earlier steps made is given up.</summary>
    /// <param name="batch">The step's tokens.</param>
    /// <param name="trained">The trained adapters, and where derivatives by their edits go.</param>
    /// <param name="checkpointsActivations">Whether only each layer's input is kept and the layer run again on the way back.</param>
    /// <param name="atHead">Given what the head reads, applies it, a part at a time, and leaves the loss's derivative there.</param>
    public void BeginStep(
        TokenBatch batch, IEnumerable<KeyValuePair<ResidentAdapter, EditGradients>> trained, bool checkpointsActivations, Action<TapeValue> atHead)
    {
        _atHead = atHead;
        _checkpointsActivations = checkpointsActivations;
        _records.Clear();
        _layerInputs.Clear();
        _gradients.Reset();
        _kept.Reset();
        _normed.Reset();
        _mlpNormed.Reset();
        _products.Reset();
        _trained.Clear();
        foreach ((ResidentAdapter adapter, EditGradients gradients) in trained)
        {
            _trained.Add(adapter, gradients);
        }

        _last = null;
        _isRecording = _trained.Count > 0;
        _eager.BeginStep(batch);
    }

    /// <summary>Runs the forward pass.</summary>
    public void Forward(TokenBatch batch) => DecoderForward.Run<TapeOps, TapeValue>(this, _model.Spec, batch);

    /// <summary>Walks back over everything recorded, last first; layers that were not kept run again.</summary>
    public void Backward(TokenBatch batch)
    {
        int embedding = _checkpointsActivations && _embedded is { NeedsGradient: true } ? 1 : 0;
        WalkBack(embedding);
        for (int layer = _layerInputs.Count - 1; layer >= 0 && _last is { HasGradient: true }; layer--)
        {
            TapeValue x = _layerInputs[layer];
            _eager.BeginLayer(layer, x.Rows);
            TapeValue y = DecoderForward.Layer<TapeOps, TapeValue>(this, _model.Spec, batch, layer, x);
            y.Gradient = _last.Gradient;
            WalkBack(embedding);
            _gradients.Release(_layerMark);
            _last = x;
        }

        if (embedding > 0)
        {
            _embedded!.Gradient = _last!.Gradient;
            WalkBack(0);
        }
    }

    /// <summary>Zeroed rows for a derivative, valid until the layer's end on the way back.</summary>
    public Rows RentGradient(int count, int width)
    {
        Rows rows = _gradients.Rent(count, width);
        RowLoop.Run(_pool, count, (long)count * width, new ClearKernel(rows));
        return rows;
    }

    public TapeValue Embed(TokenBatch batch)
    {
        bool trains = Trains(batch.All, gradients => gradients.VirtualEmbeddings is not null || gradients.AtTable(Site.Embedding) is not null || gradients.AtTable(Site.Positions) is not null);
        TapeValue x = _embedded = new TapeValue(_eager.Embed(batch), trains);
        Record(x, () =>
        {
            EmbeddingBackward.Run(Site.Positions, batch, x.Gradient, _trained);
            if (_model.Spec.EmbeddingScale != 1)
            {
                _eager.Scale(x.Gradient, _model.Spec.EmbeddingScale);
            }

            EmbeddingBackward.Run(Site.Embedding, batch, x.Gradient, _trained);
            EmbeddingBackward.RunVirtual(batch, x.Gradient, _trained);
        });
        return x;
    }

    public TapeValue BeginLayer(int layer, TapeValue x)
    {
        if (!_checkpointsActivations || _trained.Count == 0)
        {
            if (x.NeedsGradient)
            {
                _records.Add(() => _gradients.Release(_layerMark));
            }
            else
            {
                _eager.BeginLayer(layer, x.Rows);
            }

            return x;
        }

        _layerInputs.Add(new TapeValue(Copy(x.Rows, _kept), x.NeedsGradient));
        _isRecording = false;
        _eager.BeginLayer(layer, x.Rows);
        return x;
    }

    public TapeValue Norm(TapeValue x, NormSite site, RowGroup rows)
    {
        bool needsGradient = x.NeedsGradient || Trains(rows, gradients => gradients.At(site) is not null);
        TapeValue y = site.Role is NormRole.Attention or NormRole.Mlp
            ? (site.Role == NormRole.Attention ? _normed : _mlpNormed).Make(x.Rows.Count, x.Rows.Width, needsGradient, to => _eager.Norm(x.Rows, site, rows, to))
            : new TapeValue(_eager.Norm(x.Rows, site, rows), needsGradient);
        Record(y, () => BackThroughNorm(x, site, rows, y.Gradient));
        return y;
    }

    public TapeValue Linear(TapeValue x, Site site, RowGroup rows) => Recorded(x, site, rows, _eager.Linear(x.Rows, site, rows));

    public (TapeValue First, TapeValue Second) Linear(TapeValue x, Site first, Site second, RowGroup rows)
    {
        (Rows a, Rows b) = _eager.Linear(x.Rows, first, second, rows);
        TapeValue y1 = Recorded(x, first, rows, a);
        TapeValue y2 = Recorded(x, second, rows, b);
        return (y1, y2);
    }

    public (TapeValue First, TapeValue Second, TapeValue Third) Linear(TapeValue x, Site first, Site second, Site third, RowGroup rows)
    {
        (Rows a, Rows b, Rows c) = _eager.Linear(x.Rows, first, second, third, rows);
        TapeValue y1 = Recorded(x, first, rows, a);
        TapeValue y2 = Recorded(x, second, rows, b);
        TapeValue y3 = Recorded(x, third, rows, c);
        return (y1, y2, y3);
    }

    public TapeValue AddLinear(TapeValue residual, TapeValue x, Site site, NormSite? after, RowGroup rows)
    {
        if (after is not null || _model.Spec.ResidualScale != 1)
        {
            TapeValue sublayer = Linear(x, site, rows);
            return AddSublayer(residual, after is { } norm ? Norm(sublayer, norm, rows) : sublayer, site, rows);
        }

        bool needsGradient = residual.NeedsGradient || x.NeedsGradient || Trains(site, rows) || TrainsAfter(site, rows);
        Rows before = needsGradient && _isRecording ? Copy(residual.Rows, _eager.Scratch) : residual.Rows;
        var sum = new TapeValue(_eager.AddLinear(before, x.Rows, site, null, rows), needsGradient);
        Record(sum, () =>
        {
            x.Restore();
            long mark = _eager.Scratch.Mark();
            Rows dSublayer = BottleneckEdits.Any(site, rows.Runs) ? BackThroughBottlenecks(residual, _eager.Linear(x.Rows, site, rows), site, rows, sum) : sum.Gradient;
            _eager.Scratch.Release(mark);

            // The sum's derivative is also the residual stream's: one buffer goes all the way down.
            residual.Gradient = residual.NeedsGradient ? sum.Gradient : default;
            BackThrough(site, rows, x, dSublayer);
        });
        return sum;
    }

    public TapeValue AddExperts(TapeValue residual, TapeValue x, int layer, NormSite? after, RowGroup rows)
    {
        TapeValue sum = new ExpertTape(_model.Spec, this, _eager).Run(x, layer, rows);
        return AddSublayer(residual, after is { } norm ? Norm(sum, norm, rows) : sum, new Site(layer, SiteRole.Router), rows);
    }

    public (TapeValue Queries, TapeValue Keys, TapeValue Values) SplitHeads(TapeValue fused)
    {
        (Rows q, Rows k, Rows v) = _eager.SplitHeads(fused.Rows);
        (var queries, var keys, var values) = (new TapeValue(q, fused.NeedsGradient), new TapeValue(k, fused.NeedsGradient), new TapeValue(v, fused.NeedsGradient));
        Record(fused.NeedsGradient, () =>
        {
            fused.Gradient = _gradients.Rent(fused.Rows.Count, fused.Rows.Width);
            FusedRows.Put(_model.Spec, queries.Gradient, 0, fused.Gradient);
            FusedRows.Put(_model.Spec, keys.Gradient, 1, fused.Gradient);
            FusedRows.Put(_model.Spec, values.Gradient, 2, fused.Gradient);
        });
        return (queries, keys, values);
    }

    public (TapeValue Gate, TapeValue Up) SplitGate(TapeValue fused)
    {
        (Rows g, Rows u) = _eager.SplitGate(fused.Rows);
        (var gate, var up) = (new TapeValue(g, fused.NeedsGradient), new TapeValue(u, fused.NeedsGradient));
        Record(fused.NeedsGradient, () =>
        {
            fused.Gradient = RentGradient(fused.Rows.Count, fused.Rows.Width);
            (Rows toGate, Rows toUp) = _eager.SplitGate(fused.Gradient);
            for (int t = 0; t < fused.Rows.Count && gate.HasGradient; t++)
            {
                gate.Gradient.Span(t).CopyTo(toGate.Span(t));
                up.Gradient.Span(t).CopyTo(toUp.Span(t));
            }
        });
        return (gate, up);
    }

    public TapeValue Rotate(TapeValue heads, int layer, TokenBatch batch)
    {
        var turned = new TapeValue(_eager.Rotate(heads.Rows, layer, batch), heads.NeedsGradient);
        Record(turned, () =>
        {
            Rope.Backward(turned.Gradient, _model.Spec.HeadSize, _eager.Turns(layer));
            heads.Gradient = turned.Gradient;
        });
        return turned;
    }

    public TapeValue Attend(TapeValue queries, TapeValue keys, TapeValue values, int layer, TokenBatch batch)
    {
        bool needsGradient = queries.NeedsGradient || keys.NeedsGradient || values.NeedsGradient || Trains(batch.All, gradients => gradients.PrefixAt(layer) is not null);
        var attended = new TapeValue(_eager.Attend(queries.Rows, keys.Rows, values.Rows, layer, batch), needsGradient);
        Record(attended, () =>
        {
            queries.Gradient = queries.HasGradient ? queries.Gradient : RentGradient(queries.Rows.Count, queries.Rows.Width);
            keys.Gradient = RentGradient(keys.Rows.Count, keys.Rows.Width);
            values.Gradient = RentGradient(values.Rows.Count, values.Rows.Width);
            _attention.Run(queries, keys, values, attended, layer, batch);
            TakeFromPrefixes(keys.Gradient, values.Gradient, layer, batch);
        });
        return attended;
    }

    public TapeValue AttendPrompts(TapeValue target, TapeValue queries, int layer, PromptPlace place, RowGroup rows)
    {
        if (!PromptEdits.Any(layer, place, rows.Runs))
        {
            return target;
        }

        // In place: no way back reads what was there before.
        bool needsGradient = target.NeedsGradient || queries.NeedsGradient || Trains(rows, gradients => gradients.PromptAt(layer) is not null);
        var sum = new TapeValue(_eager.AttendPrompts(target.Rows, queries.Rows, layer, place, rows), needsGradient);
        Record(sum, () =>
        {
            if (queries.NeedsGradient && !queries.HasGradient)
            {
                queries.Gradient = RentGradient(queries.Rows.Count, queries.Rows.Width);
            }

            _prompts.Backward(_gradients, queries.Rows, sum.Gradient, queries.Gradient, layer, place, rows.Runs, _trained);
            target.Gradient = target.NeedsGradient ? sum.Gradient : default;
        });
        return sum;
    }

    public TapeValue GateMultiply(TapeValue gate, TapeValue up) => GateMultiplied(gate, up, _products.Make(
        gate.Rows.Count, gate.Rows.Width, gate.NeedsGradient || up.NeedsGradient, to => _eager.GateMultiply(gate.Rows, up.Rows, to)));

    /// <summary>The same of rows that differ in number from one call to the next, so that each result stays.</summary>
    public TapeValue KeptGateMultiply(TapeValue gate, TapeValue up) => GateMultiplied(gate, up, new TapeValue(
        _eager.GateMultiply(gate.Rows, up.Rows, _eager.Scratch.Rent(gate.Rows.Count, gate.Rows.Width)), gate.NeedsGradient || up.NeedsGradient));

    public TapeValue Activate(TapeValue up)
    {
        TapeValue activated = _products.Make(up.Rows.Count, up.Rows.Width, up.NeedsGradient, to => _eager.Activate(up.Rows, to));
        Record(activated, () =>
        {
            up.Gradient = activated.Gradient;
            RowLoop.Run(_pool, up.Rows.Count, (long)up.Rows.Count * up.Rows.Width * 8, new ActivateBackwardKernel(_model.Spec.MlpActivation, up.Rows, up.Gradient));
        });
        return activated;
    }

    public TapeValue Gather(TapeValue x, RowGroup rows)
    {
        _isRecording = _trained.Count > 0;
        _last = x;
        var selected = new TapeValue(_eager.Gather(x.Rows, rows), x.NeedsGradient);
        Record(selected, () =>
        {
            x.Gradient = x.HasGradient ? x.Gradient : RentGradient(x.Rows.Count, x.Rows.Width);
            _layerMark = _gradients.Mark();
            for (int i = 0; i < rows.Count; i++)
            {
                RowArithmetic.Add(selected.Gradient[i], x.Gradient[rows.Sources[i]], x.Rows.Width);
            }
        });
        return selected;
    }

    /// <summary>The losses are computed here, a part of the rows at a time: logits of all at once would outweigh everything else.</summary>
    /// <returns>Nothing that could be read: whoever wants logits asks <see cref="EagerOps.Head"/> for those of a part.</returns>
    public TapeValue Head(TapeValue x, RowGroup rows)
    {
        _atHead(x);
        return new TapeValue(default, needsGradient: false);
    }

    /// <summary>The way back through the head of some rows, to what it read and to the adapters' edits of it.</summary>
    /// <param name="x">What the head read, [group rows, D].</param>
    /// <param name="logits">What it gave, [group rows, V]; null where the model does not bound logits.</param>
    /// <param name="dLogits">Derivative by the logits, [group rows, V]; overwritten where they are bounded.</param>
    /// <param name="dx">Derivative by <paramref name="x"/>, added to; no rows where it is not wanted.</param>
    /// <param name="rows">The rows.</param>
    public void HeadBackward(Rows x, Rows? logits, Rows dLogits, Rows dx, RowGroup rows)
    {
        if (logits is { } bounded)
        {
            RowLoop.Run(_pool, dLogits.Count, (long)dLogits.Count * dLogits.Width, new CapBackwardKernel(bounded, _model.Spec.LogitCap, dLogits));
        }

        if (_model.Spec.LogitScale != 1)
        {
            _eager.Scale(dLogits, _model.Spec.LogitScale);
        }

        _linear.Run(_model.Linear(Site.Head), x, dLogits, dx, rows.Runs, _trained);
    }

    public void Dispose()
    {
        _gradients.Dispose();
        _kept.Dispose();
    }

    private TapeValue GateMultiplied(TapeValue gate, TapeValue up, TapeValue product)
    {
        Record(product, () =>
        {
            gate.Gradient = _gradients.Rent(gate.Rows.Count, gate.Rows.Width);
            up.Gradient = _gradients.Rent(up.Rows.Count, up.Rows.Width);
            RowLoop.Run(
                _pool, gate.Rows.Count, (long)gate.Rows.Count * gate.Rows.Width * 8,
                new GateBackwardKernel(_model.Spec.MlpActivation, gate.Rows, up.Rows, product.Gradient, gate.Gradient, up.Gradient));
        });
        return product;
    }

    /// <summary>Adds a sublayer's normed result, and what bottleneck adapters make of it.</summary>
    private TapeValue AddSublayer(TapeValue residual, TapeValue sublayer, Site site, RowGroup rows)
    {
        bool needsGradient = residual.NeedsGradient || sublayer.NeedsGradient || TrainsAfter(site, rows);
        Rows before = needsGradient && _isRecording ? Copy(residual.Rows, _eager.Scratch) : residual.Rows;
        _eager.AddSublayer(before, sublayer.Rows, site, rows);
        var sum = new TapeValue(before, needsGradient);
        Record(sum, () =>
        {
            // Read before what the norm's input gets from it is added elsewhere, so it may be the stream's own buffer.
            sublayer.Gradient = BottleneckEdits.Any(site, rows.Runs) ? BackThroughBottlenecks(residual, sublayer.Rows, site, rows, sum) : sum.Gradient;
            if (_model.Spec.ResidualScale != 1)
            {
                sublayer.Gradient = Copy(sublayer.Gradient, _gradients);
                _eager.Scale(sublayer.Gradient, _model.Spec.ResidualScale);
            }

            residual.Gradient = residual.NeedsGradient ? sum.Gradient : default;
        });
        return sum;
    }

    /// <summary>Records the way back through an operation, which is gone if something has flowed back to its result.</summary>
    public void Record(TapeValue result, Action backward) => Record(result.NeedsGradient, () =>
    {
        if (result.HasGradient)
        {
            backward();
        }
    });

    private void Record(bool needsGradient, Action backward)
    {
        if (_isRecording && needsGradient)
        {
            _records.Add(backward);
        }
    }

    private TapeValue Recorded(TapeValue x, Site site, RowGroup rows, Rows result)
    {
        var y = new TapeValue(result, x.NeedsGradient || Trains(site, rows));
        Record(y, () => BackThrough(site, rows, x, y.Gradient));
        return y;
    }

    private void BackThroughNorm(TapeValue x, NormSite site, RowGroup rows, Rows dy)
    {
        Rows dx = x.HasGradient ? x.Gradient : RentGradient(x.Rows.Count, x.Rows.Width);
        _norm.Run(x.Rows, _model.Norm(site), site, rows.Runs, dy, dx, _trained);
        if (x.NeedsGradient)
        {
            x.Gradient = dx;
        }
    }

    /// <summary>The derivative by a sublayer's result, where adapters add to the stream what they make of it; adds their part of the stream's.</summary>
    private Rows BackThroughBottlenecks(TapeValue residual, Rows sublayer, Site site, RowGroup rows, TapeValue sum)
    {
        Rows dSublayer = Copy(sum.Gradient, _gradients);
        Rows dResidual = residual.NeedsGradient ? sum.Gradient : default;
        _bottleneck.Run(site.Layer, site.PlaceAfter, residual.Rows, sublayer, dSublayer, dResidual, rows.Runs, _trained);
        return dSublayer;
    }

    /// <summary>Moves what has come to the rows of prefixes, which have not their own keys and values, to the prefixes.</summary>
    private void TakeFromPrefixes(Rows dKeys, Rows dValues, int layer, TokenBatch batch)
    {
        foreach (ref readonly VirtualRow row in batch.VirtualRows)
        {
            if (row.Edits.PrefixAt(layer) is null)
            {
                continue;
            }

            if (_trained.TryGetValue(row.Adapter, out EditGradients? gradients) && gradients.PrefixAt(layer) is { } prefix)
            {
                RowArithmetic.Add(dKeys[row.Row], prefix.Keys.Rows[row.Index], dKeys.Width);
                RowArithmetic.AddScaled(dValues[row.Row], row.Weight, prefix.Values.Rows[row.Index], dValues.Width);
            }

            dKeys.Span(row.Row).Clear();
            dValues.Span(row.Row).Clear();
        }
    }

    private void WalkBack(int first)
    {
        for (int i = _records.Count - 1; i >= first; i--)
        {
            _records[i]();
        }

        _records.RemoveRange(first, _records.Count - first);
        _isRecording = true;
    }

    private void BackThrough(Site site, RowGroup rows, TapeValue x, Rows dy)
    {
        if (x.NeedsGradient && !x.HasGradient)
        {
            x.Gradient = RentGradient(x.Rows.Count, x.Rows.Width);
        }

        x.Restore();
        _linear.Run(_model.Linear(site), x.Rows, dy, x.NeedsGradient ? x.Gradient : default, rows.Runs, _trained);
    }

    private bool Trains(Site site, RowGroup rows) => Trains(rows, gradients => gradients.At(site) is not null);

    private bool TrainsAfter(Site site, RowGroup rows) => Trains(rows, gradients => gradients.At(site.Layer, site.PlaceAfter) is not null);

    private bool Trains(RowGroup rows, Func<EditGradients, bool> edits)
    {
        foreach (EditRun run in rows.Runs)
        {
            if (_trained.TryGetValue(run.Adapter, out EditGradients? gradients) && edits(gradients))
            {
                return true;
            }
        }

        return false;
    }

    private Rows Copy(Rows rows, ScratchArena arena)
    {
        Rows copy = arena.Rent(rows.Count, rows.Width);
        RowLoop.Run(_pool, rows.Count, (long)rows.Count * rows.Width, new CopyKernel(rows, copy));
        return copy;
    }

    private readonly struct ClearKernel(Rows rows) : IRowKernel
    {
        public void Run(int first, int end) => new Span<float>(rows[first], (end - first) * rows.Stride).Clear();
    }

    private readonly struct CopyKernel(Rows from, Rows to) : IRowKernel
    {
        public void Run(int first, int end)
        {
            for (int t = first; t < end; t++)
            {
                from.Span(t).CopyTo(to.Span(t));
            }
        }
    }

    private readonly struct CapBackwardKernel(Rows logits, float cap, Rows dLogits) : IRowKernel
    {
        public void Run(int first, int end)
        {
            for (int t = first; t < end; t++)
            {
                for (int i = 0; i < dLogits.Width; i++)
                {
                    float share = logits[t][i] / cap;
                    dLogits[t][i] *= 1 - (share * share);
                }
            }
        }
    }

    private readonly struct ActivateBackwardKernel(Activation activation, Rows up, Rows gradient) : IRowKernel
    {
        public void Run(int first, int end) => Activations.Backward(activation, up.Slice(first, end - first), gradient.Slice(first, end - first));
    }

    private readonly struct GateBackwardKernel(Activation activation, Rows gate, Rows up, Rows dProduct, Rows dGate, Rows dUp) : IRowKernel
    {
        public void Run(int first, int end)
        {
            int count = end - first;
            GatedProduct.Backward(
                activation, gate.Slice(first, count), up.Slice(first, count), dProduct.Slice(first, count), dGate.Slice(first, count), dUp.Slice(first, count));
        }
    }
}
