using LoraServe.Adapters.Edits;
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
/// needs what was there. Nothing is recorded of what no trained part comes before.
/// </remarks>
internal sealed unsafe class TapeOps(TransformerSpec spec, EagerOps eager, WorkerPool pool) : IForwardOps<TapeValue>, IDisposable
{
    private readonly List<Action> _records = [];
    private readonly ScratchArena _gradients = new();
    private readonly Dictionary<ResidentAdapter, EditGradients> _trained = [];
    private TokenBatch _batch = null!;
    private LinearBackward? _linear;
    private AttentionGradient? _attention;
    private long _layerMark;

    /// <summary>Whether results are kept for the way back.</summary>
    public bool IsRecording { get; set; } = true;

    /// <summary>What the head is to be applied to: [rows of <see cref="TokenBatch.Logits"/>, D]. Logits of all rows at once would outweigh everything else.</summary>
    public TapeValue HeadInput { get; private set; } = new(default, false);

    /// <summary>Where derivatives by the trained adapters' edits go.</summary>
    public IReadOnlyDictionary<ResidentAdapter, EditGradients> Trained => _trained;

    /// <summary>The way back through linear maps.</summary>
    public LinearBackward LinearBackward => _linear ??= new LinearBackward(pool, _gradients);

    /// <summary>Begins a step: everything that earlier steps made is given up.</summary>
    public void BeginStep(TokenBatch batch, IEnumerable<KeyValuePair<ResidentAdapter, EditGradients>> trained)
    {
        _batch = batch;
        _records.Clear();
        _gradients.Reset();
        _trained.Clear();
        foreach ((ResidentAdapter adapter, EditGradients gradients) in trained)
        {
            _trained.Add(adapter, gradients);
        }

        eager.BeginStep(batch);
    }

    /// <summary>Walks back over everything recorded, last first, and forgets it.</summary>
    public void Backward()
    {
        for (int i = _records.Count - 1; i >= 0; i--)
        {
            _records[i]();
        }

        _records.Clear();
    }

    /// <summary>Zeroed rows for a derivative, valid until the layer's end on the way back.</summary>
    public Rows RentGradient(int count, int width)
    {
        Rows rows = _gradients.Rent(count, width);
        new Span<float>((void*)rows.Pointer, checked(count * width)).Clear();
        return rows;
    }

    public TapeValue Embed(Transformer weights, TokenBatch batch)
    {
        bool trains = batch.All.Runs.Any(run => _trained.TryGetValue(run.Adapter, out EditGradients? gradients) && gradients.TrainsEmbeddings);
        var x = new TapeValue(eager.Embed(weights, batch), trains);
        Record(x, () => EmbeddingBackward.Run(batch, x.Gradient, _trained));
        return x;
    }

    public TapeValue BeginLayer(int layer, TapeValue x)
    {
        if (!x.NeedsGradient || !IsRecording)
        {
            eager.BeginLayer(layer, x.Rows);
        }

        _records.Add(() => _gradients.Release(_layerMark));
        return x;
    }

    public TapeValue Norm(TapeValue x, NativeBuffer gains, NormSite site, RowGroup rows)
    {
        var y = new TapeValue(eager.Norm(x.Rows, gains, site, rows), x.NeedsGradient || Trains(rows, gradients => gradients.At(site) is not null));
        Record(y, () => NormBackward.Run(x, gains, site, rows, spec.NormEpsilon, y.Gradient, this));
        return y;
    }

    public TapeValue Linear(TapeValue x, LinearWeights map, RowGroup rows)
    {
        HeadInput = x;
        return new TapeValue(default, x.NeedsGradient || Trains(map, rows));
    }

    public (TapeValue First, TapeValue Second) Linear(TapeValue x, LinearWeights first, LinearWeights second, RowGroup rows)
    {
        (Rows a, Rows b) = eager.Linear(x.Rows, first, second, rows);
        TapeValue y1 = Recorded(x, first, rows, a);
        TapeValue y2 = Recorded(x, second, rows, b);
        return (y1, y2);
    }

    public (TapeValue First, TapeValue Second, TapeValue Third) Linear(TapeValue x, LinearWeights first, LinearWeights second, LinearWeights third, RowGroup rows)
    {
        (Rows a, Rows b, Rows c) = eager.Linear(x.Rows, first, second, third, rows);
        TapeValue y1 = Recorded(x, first, rows, a);
        TapeValue y2 = Recorded(x, second, rows, b);
        TapeValue y3 = Recorded(x, third, rows, c);
        return (y1, y2, y3);
    }

    public TapeValue AddLinear(TapeValue residual, TapeValue x, LinearWeights map, RowGroup rows)
    {
        bool needsGradient = residual.NeedsGradient || x.NeedsGradient || Trains(map, rows);
        Rows before = needsGradient && IsRecording ? Copy(residual.Rows) : residual.Rows;
        var sum = new TapeValue(eager.AddLinear(before, x.Rows, map, rows), needsGradient);
        Record(sum, () =>
        {
            // The sum's derivative is also the residual stream's: one buffer goes all the way down.
            residual.Gradient = sum.Gradient;
            BackThrough(map, rows, x, sum.Gradient);
        });
        return sum;
    }

    public TapeValue Rotate(TapeValue heads, TokenBatch batch)
    {
        var turned = new TapeValue(eager.Rotate(heads.Rows, batch), heads.NeedsGradient);
        Record(turned, () =>
        {
            Rope.Backward(turned.Gradient, eager.Turns);
            heads.Gradient = turned.Gradient;
        });
        return turned;
    }

    public TapeValue Attend(TapeValue queries, TapeValue keys, TapeValue values, int layer, TokenBatch batch)
    {
        bool needsGradient = queries.NeedsGradient || keys.NeedsGradient || values.NeedsGradient;
        var attended = new TapeValue(eager.Attend(queries.Rows, keys.Rows, values.Rows, layer, batch), needsGradient);
        Record(attended, () =>
        {
            queries.Gradient = RentGradient(queries.Rows.Count, queries.Rows.Width);
            keys.Gradient = RentGradient(keys.Rows.Count, keys.Rows.Width);
            values.Gradient = RentGradient(values.Rows.Count, values.Rows.Width);
            _attention ??= new AttentionGradient(spec, pool, _gradients);
            _attention.Run(queries, keys, values, attended, layer, batch);
        });
        return attended;
    }

    public TapeValue SiluMultiply(TapeValue gate, TapeValue up)
    {
        bool needsGradient = gate.NeedsGradient || up.NeedsGradient;
        Rows before = needsGradient && IsRecording ? Copy(gate.Rows) : gate.Rows;
        var product = new TapeValue(eager.SiluMultiply(before, up.Rows), needsGradient);
        Record(product, () =>
        {
            gate.Gradient = _gradients.Rent(gate.Rows.Count, gate.Rows.Width);
            up.Gradient = _gradients.Rent(up.Rows.Count, up.Rows.Width);
            RowLoop.Run(
                pool, gate.Rows.Count, (long)gate.Rows.Count * gate.Rows.Width * 8,
                new SiluBackwardKernel(gate.Rows, up.Rows, product.Gradient, gate.Gradient, up.Gradient));
        });
        return product;
    }

    public TapeValue Gather(TapeValue x, RowGroup rows)
    {
        var selected = new TapeValue(eager.Gather(x.Rows, rows), x.NeedsGradient);
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
        if (IsRecording && result.NeedsGradient)
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

    private void BackThrough(LinearWeights map, RowGroup rows, TapeValue x, Rows dy)
    {
        if (x.NeedsGradient && !x.HasGradient)
        {
            x.Gradient = RentGradient(x.Rows.Count, x.Rows.Width);
        }

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

    private Rows Copy(Rows rows)
    {
        Rows copy = eager.Scratch.Rent(rows.Count, rows.Width);
        new ReadOnlySpan<float>((void*)rows.Pointer, rows.Count * rows.Width).CopyTo(new Span<float>((void*)copy.Pointer, rows.Count * rows.Width));
        return copy;
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
