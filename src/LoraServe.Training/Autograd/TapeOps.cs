using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Resident;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;

namespace LoraServe.Training.Autograd;

/// <summary>Runs each operation as serving does, with the very same kernels, and records how to go back through it.</summary>
/// <remarks>
/// Results stay in scratch until the step's end, so an operation that serving does in place gets a copy where the way back
/// needs what was there; those that are quickly made again (norms, the gated product) do not stay. Nothing is recorded of what
/// no trained part comes before.
/// </remarks>
internal sealed unsafe class TapeOps : IForwardOps<TapeValue>, IDisposable
{
    private readonly EagerOps _eager;
    private readonly WorkerPool _pool;
    private readonly List<Action> _records = [];
    private readonly List<TapeValue> _layerInputs = [];
    private readonly ScratchArena _gradients = new();
    private readonly ScratchArena _kept = new();
    private readonly Dictionary<ResidentAdapter, EditGradients> _trained = [];
    private readonly NormBackward _norm;
    private readonly AttentionGradient _attention;
    private readonly BottleneckBackward _bottleneck;
    private readonly ReusedRows _normed;
    private readonly ReusedRows _products;
    private TapeValue? _embedded;
    private TapeValue? _last;
    private bool _checkpointsActivations;
    private bool _isRecording;
    private long _layerMark;

    /// <summary>A tape over serving's operations.</summary>
    /// <param name="spec">The model's shape.</param>
    /// <param name="eager">What runs the operations.</param>
    /// <param name="pool">The workers.</param>
    public TapeOps(TransformerSpec spec, EagerOps eager, WorkerPool pool)
    {
        _eager = eager;
        _pool = pool;
        LinearBackward = new LinearBackward(pool, _gradients);
        _norm = new NormBackward(pool, _gradients, spec.NormEpsilon);
        _attention = new AttentionGradient(spec, pool, _gradients);
        _bottleneck = new BottleneckBackward(pool, _gradients);
        _normed = new ReusedRows(_kept);
        _products = new ReusedRows(_kept);
    }

    /// <summary>What the head is to be applied to: [rows of <see cref="TokenBatch.Logits"/>, D]. Logits of all rows at once would outweigh everything else.</summary>
    public TapeValue HeadInput { get; private set; } = new(default, false);

    /// <summary>Where derivatives by the trained adapters' edits go.</summary>
    public IReadOnlyDictionary<ResidentAdapter, EditGradients> Trained => _trained;

    /// <summary>The way back through linear maps.</summary>
    public LinearBackward LinearBackward { get; }

    /// <summary>Begins a step: everything that earlier steps made is given up.</summary>
    /// <param name="batch">The step's tokens.</param>
    /// <param name="trained">The trained adapters, and where derivatives by their edits go.</param>
    /// <param name="checkpointsActivations">Whether only each layer's input is kept and the layer run again on the way back.</param>
    public void BeginStep(TokenBatch batch, IEnumerable<KeyValuePair<ResidentAdapter, EditGradients>> trained, bool checkpointsActivations)
    {
        _checkpointsActivations = checkpointsActivations;
        _records.Clear();
        _layerInputs.Clear();
        _gradients.Reset();
        _kept.Reset();
        _normed.Reset();
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

    /// <summary>Runs the forward pass up to the head's input.</summary>
    public void Forward(Transformer model, TokenBatch batch) => DecoderForward.Run<TapeOps, TapeValue>(this, model, batch);

    /// <summary>Walks back over everything recorded, last first; layers that were not kept run again.</summary>
    public void Backward(Transformer model, TokenBatch batch)
    {
        int embedding = _checkpointsActivations && _embedded is { NeedsGradient: true } ? 1 : 0;
        WalkBack(embedding);
        for (int layer = _layerInputs.Count - 1; layer >= 0 && _last is { HasGradient: true }; layer--)
        {
            TapeValue x = _layerInputs[layer];
            _eager.BeginLayer(layer, x.Rows);
            TapeValue y = DecoderForward.Layer<TapeOps, TapeValue>(this, model, batch, layer, x);
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

    public TapeValue Embed(Transformer weights, TokenBatch batch)
    {
        bool trains = Trains(batch.All, gradients => gradients.VirtualEmbeddings is not null || gradients.Embedding is not null);
        TapeValue x = _embedded = new TapeValue(_eager.Embed(weights, batch), trains);
        Record(x, () => EmbeddingBackward.Run(batch, x.Gradient, _trained));
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

    public TapeValue Norm(TapeValue x, NativeBuffer gains, NormSite site, RowGroup rows)
    {
        bool needsGradient = x.NeedsGradient || Trains(rows, gradients => gradients.At(site) is not null);
        TapeValue y = site == NormSite.Final
            ? new TapeValue(_eager.Norm(x.Rows, gains, site, rows), needsGradient)
            : _normed.Make(x.Rows.Count, x.Rows.Width, needsGradient, to => _eager.Norm(x.Rows, gains, site, rows, to));
        Record(y, () => BackThroughNorm(x, gains, site, rows, y.Gradient));
        return y;
    }

    public TapeValue Linear(TapeValue x, LinearWeights map, RowGroup rows)
    {
        HeadInput = x;
        return new TapeValue(default, x.NeedsGradient || Trains(map, rows));
    }

    public (TapeValue First, TapeValue Second) Linear(TapeValue x, LinearWeights first, LinearWeights second, RowGroup rows)
    {
        (Rows a, Rows b) = _eager.Linear(x.Rows, first, second, rows);
        TapeValue y1 = Recorded(x, first, rows, a);
        TapeValue y2 = Recorded(x, second, rows, b);
        return (y1, y2);
    }

    public (TapeValue First, TapeValue Second, TapeValue Third) Linear(TapeValue x, LinearWeights first, LinearWeights second, LinearWeights third, RowGroup rows)
    {
        (Rows a, Rows b, Rows c) = _eager.Linear(x.Rows, first, second, third, rows);
        TapeValue y1 = Recorded(x, first, rows, a);
        TapeValue y2 = Recorded(x, second, rows, b);
        TapeValue y3 = Recorded(x, third, rows, c);
        return (y1, y2, y3);
    }

    public TapeValue AddLinear(TapeValue residual, TapeValue x, LinearWeights map, RowGroup rows)
    {
        BottleneckPlace place = BottleneckEdits.PlaceAfter(map.Site);
        bool needsGradient = residual.NeedsGradient || x.NeedsGradient || Trains(map, rows) || Trains(rows, gradients => gradients.At(map.Site.Layer, place) is not null);
        Rows before = needsGradient && _isRecording ? Copy(residual.Rows, _eager.Scratch) : residual.Rows;
        var sum = new TapeValue(_eager.AddLinear(before, x.Rows, map, rows), needsGradient);
        Record(sum, () =>
        {
            x.Restore();
            Rows dSublayer = BackThroughBottlenecks(residual, x, map, rows, sum);

            // The sum's derivative is also the residual stream's: one buffer goes all the way down.
            residual.Gradient = residual.NeedsGradient ? sum.Gradient : default;
            BackThrough(map, rows, x, dSublayer);
        });
        return sum;
    }

    public TapeValue Rotate(TapeValue heads, TokenBatch batch)
    {
        var turned = new TapeValue(_eager.Rotate(heads.Rows, batch), heads.NeedsGradient);
        Record(turned, () =>
        {
            Rope.Backward(turned.Gradient, _eager.Turns);
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
            queries.Gradient = RentGradient(queries.Rows.Count, queries.Rows.Width);
            keys.Gradient = RentGradient(keys.Rows.Count, keys.Rows.Width);
            values.Gradient = RentGradient(values.Rows.Count, values.Rows.Width);
            _attention.Run(queries, keys, values, attended, layer, batch);
            TakeFromPrefixes(keys.Gradient, values.Gradient, layer, batch);
        });
        return attended;
    }

    public TapeValue SiluMultiply(TapeValue gate, TapeValue up)
    {
        TapeValue product = _products.Make(
            gate.Rows.Count, gate.Rows.Width, gate.NeedsGradient || up.NeedsGradient, to => _eager.SiluMultiply(gate.Rows, up.Rows, to));
        Record(product, () =>
        {
            gate.Gradient = _gradients.Rent(gate.Rows.Count, gate.Rows.Width);
            up.Gradient = _gradients.Rent(up.Rows.Count, up.Rows.Width);
            RowLoop.Run(
                _pool, gate.Rows.Count, (long)gate.Rows.Count * gate.Rows.Width * 8,
                new SiluBackwardKernel(gate.Rows, up.Rows, product.Gradient, gate.Gradient, up.Gradient));
        });
        return product;
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

    public void Dispose() => _gradients.Dispose();

    private void Record(TapeValue result, Action backward)
    {
        if (_isRecording && result.NeedsGradient)
        {
            _records.Add(() =>
            {
                if (result.HasGradient)
                {
                    backward();
                }
            });
        }
    }

    private TapeValue Recorded(TapeValue x, LinearWeights map, RowGroup rows, Rows result)
    {
        var y = new TapeValue(result, x.NeedsGradient || Trains(map, rows));
        Record(y, () => BackThrough(map, rows, x, y.Gradient));
        return y;
    }

    private void BackThroughNorm(TapeValue x, NativeBuffer gains, NormSite site, RowGroup rows, Rows dy)
    {
        Rows dx = x.HasGradient ? x.Gradient : RentGradient(x.Rows.Count, x.Rows.Width);
        _norm.Run(x.Rows, gains, site, rows.Runs, dy, dx, _trained);
        if (x.NeedsGradient)
        {
            x.Gradient = dx;
        }
    }

    /// <summary>The derivative by the map's result, where adapters add to the stream what they make of it; adds their part of the stream's.</summary>
    private Rows BackThroughBottlenecks(TapeValue residual, TapeValue x, LinearWeights map, RowGroup rows, TapeValue sum)
    {
        BottleneckPlace place = BottleneckEdits.PlaceAfter(map.Site);
        if (!HasEdit(rows, adapter => adapter.At(map.Site.Layer, place) is not null))
        {
            return sum.Gradient;
        }

        long mark = _eager.Scratch.Mark();
        Rows sublayer = _eager.Linear(x.Rows, map, rows);
        Rows dSublayer = Copy(sum.Gradient, _gradients);
        Rows dResidual = residual.NeedsGradient ? sum.Gradient : default;
        _bottleneck.Run(map.Site.Layer, place, residual.Rows, sublayer, dSublayer, dResidual, rows.Runs, _trained);
        _eager.Scratch.Release(mark);
        return dSublayer;
    }

    /// <summary>Moves what has come to the rows of prefixes, which have not their own keys and values, to the prefixes.</summary>
    private void TakeFromPrefixes(Rows dKeys, Rows dValues, int layer, TokenBatch batch)
    {
        foreach (ref readonly VirtualRow row in batch.VirtualRows)
        {
            if (row.Adapter.PrefixAt(layer) is null)
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

    private static bool HasEdit(RowGroup rows, Func<ResidentAdapter, bool> has)
    {
        foreach (EditRun run in rows.Runs)
        {
            if (has(run.Adapter))
            {
                return true;
            }
        }

        return false;
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

    private void BackThrough(LinearWeights map, RowGroup rows, TapeValue x, Rows dy)
    {
        if (x.NeedsGradient && !x.HasGradient)
        {
            x.Gradient = RentGradient(x.Rows.Count, x.Rows.Width);
        }

        x.Restore();
        LinearBackward.Run(map, x.Rows, dy, x.NeedsGradient ? x.Gradient : default, rows.Runs, _trained);
    }

    private bool Trains(LinearWeights map, RowGroup rows) => Trains(rows, gradients => gradients.At(map.Site) is not null);

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

    private readonly struct SiluBackwardKernel(Rows gate, Rows up, Rows dProduct, Rows dGate, Rows dUp) : IRowKernel
    {
        public void Run(int first, int end)
        {
            int count = end - first;
            Compute.Kernels.SiluMultiply.Backward(
                gate.Slice(first, count), up.Slice(first, count), dProduct.Slice(first, count), dGate.Slice(first, count), dUp.Slice(first, count));
        }
    }
}
