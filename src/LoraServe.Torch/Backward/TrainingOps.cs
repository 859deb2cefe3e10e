using LoraServe.Models.Forward;
using LoraServe.Torch.Forward;
using LoraServe.Torch.Native;
using LoraServe.Torch.Weights;

namespace LoraServe.Torch.Backward;

/// <summary>Operations that leave what they read as it is, since the way back reads it too; keys and values are those of the batch's own rows.</summary>
/// <remarks>
/// The way back is libtorch's. Where only layers' inputs are kept it is cut at each layer: a layer runs unrecorded, and again on the
/// way back.
/// </remarks>
/// <param name="weights">The model's weights.</param>
internal sealed class TrainingOps(TorchWeights weights) : TorchOps(weights, ProductChoice.Apart)
{
    private readonly List<Tensor> _layerInputs = [];
    private Action<Tensor> _atHead = _ => { };
    private IDisposable? _unrecorded;
    private Tensor? _embedded;
    private Tensor? _last;
    private bool _keepsInputs;

    /// <inheritdoc />
    protected override bool UsesPages => false;

    /// <summary>Begins a step.</summary>
    /// <param name="batch">The step's tokens.</param>
    /// <param name="keepsInputs">Whether only layers' inputs are kept and the layers run again on the way back.</param>
    /// <param name="atHead">Given what the head reads, applies it.</param>
    public void BeginStep(TokenBatch batch, bool keepsInputs, Action<Tensor> atHead)
    {
        _keepsInputs = keepsInputs;
        _atHead = atHead;
        BeginStep(batch);
    }

    public override void EndStep()
    {
        _unrecorded?.Dispose();
        _unrecorded = null;
        (_last, _embedded) = (null, null);
        _layerInputs.Clear();
        base.EndStep();
    }

    /// <summary>Runs the forward pass, and the way back as far as it is recorded.</summary>
    public void Run(TokenBatch batch)
    {
        DecoderForward.Run<TrainingOps, Tensor>(this, Weights.Spec, batch);
        for (int layer = _layerInputs.Count - 1; layer >= 0 && _last?.grad is { } gradient; layer--)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor x = _layerInputs[layer];
            Tensor y = DecoderForward.Layer<TrainingOps, Tensor>(this, Weights.Spec, batch, layer, x);
            if (y.requires_grad)
            {
                y.backward([gradient]);
            }

            _last = x;
        }

        if (_keepsInputs && _embedded is { requires_grad: true } embedded && _last?.grad is { } first)
        {
            embedded.backward([first]);
        }
    }

    public override Tensor Embed(TokenBatch batch) => _embedded = base.Embed(batch);

    public override Tensor BeginLayer(int layer, Tensor x)
    {
        x = base.BeginLayer(layer, x);
        if (_keepsInputs)
        {
            _unrecorded ??= torch.no_grad();
            _layerInputs.Add(Leaf(x).MoveToOuterDisposeScope());
        }

        return x;
    }

    public override Tensor Gather(Tensor x, RowGroup rows)
    {
        if (_unrecorded is not null)
        {
            _unrecorded.Dispose();
            _unrecorded = null;
            _last = x = Leaf(x);
        }

        return base.Gather(_last ?? x, rows);
    }

    /// <summary>The losses are computed here, and the way back begins: logits of all rows at once would outweigh everything else.</summary>
    public override Tensor Head(Tensor x, RowGroup rows)
    {
        _atHead(x);
        return x;
    }

    /// <summary>Logits of some of the head's rows.</summary>
    public Tensor Logits(Tensor x, RowGroup rows) => base.Head(x, rows);

    public override Tensor GateMultiply(Tensor gate, Tensor up) => Activations.Apply(GateActivation, gate).mul(up);

    /// <inheritdoc />
    protected override Tensor Add(Tensor to, Tensor what, float factor) => to.Plus(what, factor);

    /// <inheritdoc />
    protected override Tensor AddProduct(Tensor to, Tensor x, Tensor b, float factor) => to.Plus(torch.nn.functional.linear(x, b), factor);

    /// <inheritdoc />
    protected override Tensor Replace(Tensor whole, IReadOnlyList<(Tensor Before, Tensor After)> parts) => Join([.. parts.Select(part => part.After)]);

    /// <inheritdoc />
    protected override (Tensor Keys, Tensor Values) Remember(int layer, Tensor keys, Tensor values) => (keys, values);

    /// <summary>The same values, from which the way back of what comes after begins.</summary>
    private static Tensor Leaf(Tensor x) => x.detach().requires_grad_();
}
