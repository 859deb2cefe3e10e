using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;

namespace LoraServe.Models;

/// <summary>A frozen base model in a device's memory: its shape, its weights, and what can be done with them there. Immutable.</summary>
/// <param name="weights">What it was loaded from.</param>
/// <param name="arithmetic">What it computes in.</param>
public abstract class Transformer(ModelWeights weights, Arithmetic arithmetic) : IBaseModel, IDisposable
{
    /// <summary>What it was loaded from.</summary>
    protected ModelWeights Weights { get; } = weights;

    /// <summary>Name of the device, see <see cref="IDevice.Name"/>.</summary>
    public abstract string Device { get; }

    /// <summary>The shape.</summary>
    public TransformerSpec Spec => Weights.Spec;

    /// <summary>What it computes in.</summary>
    public Arithmetic Arithmetic { get; } = arithmetic;

    /// <summary>Bytes of memory that the weights take, the mapped token table included.</summary>
    public abstract long ByteLength { get; }

    /// <summary>Bytes of weights that every step reads.</summary>
    public abstract long StepBytes { get; }

    /// <summary>Whether a row's result has the same bits whatever else is in the batch, however its prompt was cut and whichever pages it got.</summary>
    public abstract bool IsBatchInvariant { get; }

    /// <inheritdoc />
    public string Fingerprint => Weights.Fingerprint;

    /// <inheritdoc />
    public string Architecture => Spec.Architecture;

    /// <inheritdoc />
    public string GgufArchitecture => Architectures.Architecture.All.FirstOrDefault(known => known.Name == Architecture)?.GgufName ?? Architecture;

    /// <inheritdoc />
    public string? ModelClass => Architectures.Architecture.All.FirstOrDefault(known => known.Name == Architecture)?.ClassName;

    /// <inheritdoc />
    public IReadOnlyList<BaseModule> Modules => Weights.Modules;

    /// <inheritdoc />
    public IReadOnlyList<BaseNorm> Norms => Weights.Norms;

    /// <inheritdoc />
    public int LayerCount => Spec.LayerCount;

    /// <inheritdoc />
    public int Width => Spec.Width;

    /// <inheritdoc />
    public int HeadSize => Spec.HeadSize;

    /// <inheritdoc />
    public int KeyWidth => Spec.KeyWidth;

    /// <inheritdoc />
    public int VocabularySize => Spec.VocabularySize;

    /// <inheritdoc />
    public bool TiedHead => Spec.TiedHead;

    /// <summary>The same model in the same memory, computing in <paramref name="arithmetic"/>.</summary>
    /// <remarks>A view: it is valid until this model is disposed, and disposing it does nothing.</remarks>
    public abstract Transformer ComputingIn(Arithmetic arithmetic);

    /// <summary>Brings an adapter into the device's memory.</summary>
    /// <param name="adapter">Loaded on this model.</param>
    /// <exception cref="OutOfMemoryException">The device has not that much memory.</exception>
    public ResidentAdapter Place(Adapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        return Place(adapter.Edits, adapter.Digest, adapter.InvocationTokens.AsSpan());
    }

    /// <summary>Brings edits into the device's memory: what a training step does, so nothing but their shapes is looked at.</summary>
    /// <param name="edits">At each site at most one edit of each kind; low-rank pairs and bias summands may be several.</param>
    /// <param name="digest">What tells it from other adapters; empty for what is trained, of which alone derivatives can be asked for.</param>
    /// <param name="invocationTokens">Tokens that activate it; empty: always active.</param>
    /// <exception cref="ArgumentException">Edits that cannot be together, or of a shape that the base has not.</exception>
    /// <exception cref="OutOfMemoryException">The device has not that much memory.</exception>
    public abstract ResidentAdapter Place(IReadOnlyList<AdapterEdit> edits, string digest = "", ReadOnlySpan<int> invocationTokens = default);

    /// <summary>Size in bytes of a page of the key/value cache.</summary>
    /// <param name="type">F32 or F16.</param>
    /// <exception cref="ArgumentException">Another type.</exception>
    public abstract long PageBytes(ElementType type);

    /// <summary>Makes what runs steps, with a key/value cache of its own.</summary>
    /// <param name="pool">Workers for what runs on this machine's processor.</param>
    /// <param name="pageCount">Pages of the cache, at least one.</param>
    /// <param name="type">Type of the cache's elements, F32 or F16.</param>
    public abstract IStepRunner CreateRunner(WorkerPool pool, int pageCount, ElementType type);

    /// <summary>Makes what runs batches forth and back. Only in exact arithmetic.</summary>
    /// <param name="pool">Workers for what runs on this machine's processor.</param>
    public abstract ITrainingPass CreateTraining(WorkerPool pool);

    /// <summary>Measures what the device can do at best, in the type that this model computes in; takes a second or two.</summary>
    /// <param name="pool">Workers for what runs on this machine's processor.</param>
    public abstract DeviceLimits MeasureLimits(WorkerPool pool);

    /// <inheritdoc />
    public abstract void CopyWeightRow(Site site, int row, Span<float> destination);

    /// <inheritdoc />
    public abstract void Multiply(Site site, FloatMatrix x, FloatMatrix y);

    /// <inheritdoc />
    public abstract void CopyBias(Site site, Span<float> destination);

    /// <inheritdoc />
    public void CopyNorm(NormSite site, Span<float> destination) => Weights.CopyNorm(site, destination);

    /// <summary>Frees the weights and unmaps the files.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what it owns, once.</summary>
    protected abstract void Dispose(bool disposing);
}
