using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Folding;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;
using LoraServe.Torch.Backward;
using LoraServe.Torch.Forward;
using LoraServe.Torch.Native;
using LoraServe.Torch.Resident;
using LoraServe.Torch.Weights;
using StoredTensor = LoraServe.Compute.Tensors.Tensor;

namespace LoraServe.Torch;

/// <summary>A model in the memory of a device of libtorch.</summary>
/// <param name="source">What it comes from.</param>
/// <param name="arithmetic">What it was asked to compute in; adapters are held in float32 where that is exact.</param>
/// <param name="weights">The weights, of which it is the owner.</param>
/// <param name="memory">What of the device's memory is spoken for.</param>
/// <param name="reservation">What the weights take of it.</param>
internal sealed class TorchTransformer(ModelWeights source, Arithmetic arithmetic, TorchWeights weights, DeviceMemory memory, IDisposable reservation)
    : Transformer(source, arithmetic)
{
    private readonly Dictionary<Site, (StoredTensor Weight, int[] RowOrder)> _stored =
        source.Linears.ToDictionary(linear => linear.Site, linear => (linear.Weight, source.RowOrder(linear.Site).ToArray()));

    private bool _isView;

    /// <summary>The weights as the operations read them.</summary>
    public new TorchWeights Weights { get; } = weights;

    /// <summary>What resident adapters share.</summary>
    public SharedMatrices<Tensor> Shared { get; private init; } = new(matrix => matrix.NumberOfElements * matrix.ElementSize);

    /// <summary>Where resident adapters' low-rank pairs lie.</summary>
    public AdapterArenas Arenas { get; private init; } = new(memory, weights.Type, weights.Device);

    /// <inheritdoc />
    public override string Device => memory.Device;

    /// <inheritdoc />
    public override long ByteLength => Weights.ByteLength;

    /// <inheritdoc />
    public override long StepBytes => Weights.StepBytes;

    /// <inheritdoc />
    public override bool IsBatchInvariant => false;

    /// <inheritdoc />
    public override Transformer ComputingIn(Arithmetic arithmetic) => new TorchTransformer(base.Weights, arithmetic, Weights, memory, reservation) { Shared = Shared, Arenas = Arenas, _isView = true };

    /// <inheritdoc />
    public override ResidentAdapter Place(IReadOnlyList<AdapterEdit> edits, string digest = "", ReadOnlySpan<int> invocationTokens = default)
    {
        ArgumentNullException.ThrowIfNull(edits);
        ArgumentNullException.ThrowIfNull(digest);
        ScalarType type = Arithmetic == Arithmetic.Exact ? ScalarType.Float32 : Weights.Type;
        SiteEdits[] sites = [.. SiteEdits.Of(edits, this)];

        // Edits without a digest are a training step's: each of their matrices is a leaf of the way back, and gone after the step.
        ArenaShape? shape = digest.Length > 0 && type == Weights.Type ? ArenaShape.Of(sites) : null;
        long inSlot = shape is null ? 0 : sites.Where(ArenaShape.IsPair).Sum(site => (long)site.A!.Values.Length + site.B!.Values.Length);
        long bytes = ((edits.Sum(edit => edit.ByteLength) / sizeof(float)) - inSlot) * type.ElementSize();
        int[] activates = invocationTokens.ToArray();
        AdapterArenas.Slot? slot = null;
        TorchAdapter? placed = null;
        try
        {
            slot = shape is null ? null : Arenas.Take(shape);
            return placed = memory.Make(bytes, "the adapter's matrices", "expected fewer adapters in memory, or more of it", room =>
                new TorchAdapter(edits, sites, this, Weights, Shared, type, slot, room, digest, activates));
        }
        catch (DeviceException full)
        {
            throw new InsufficientMemoryException(full.Message, full);
        }
        finally
        {
            if (placed is null)
            {
                slot?.Dispose();
            }
        }
    }

    /// <inheritdoc />
    public override long PageBytes(ElementType type) => TorchPages.BytesPerPage(Spec, type);

    /// <inheritdoc />
    public override IStepRunner CreateRunner(WorkerPool pool, int pageCount, ElementType type)
    {
        UseThreads(pool);
        return memory.Make(pageCount * PageBytes(type), "the pages of the key/value cache", "expected a smaller cache", room =>
            new TorchRunner(Weights, new TorchPages(Weights, pageCount, type), pool, room));
    }

    /// <inheritdoc />
    public override ITrainingPass CreateTraining(WorkerPool pool)
    {
        UseThreads(pool);
        return new TorchTrainingPass(Weights);
    }

    /// <inheritdoc />
    public override DeviceLimits MeasureLimits(WorkerPool pool)
    {
        UseThreads(pool);
        var limits = new TorchLimits(Weights.Device, Weights.Type);
        return memory.Make(limits.BytesNeeded, "the measurement of its limits", "expected a smaller model", room =>
        {
            using (room)
            {
                return limits.Measure();
            }
        });
    }

    /// <inheritdoc />
    public override void CopyWeightRow(Site site, int row, Span<float> destination)
    {
        if (site.IsTable)
        {
            (site == Site.Embedding ? base.Weights.TokenTable : base.Weights.Positions!).CopyRow(row, destination);
        }
        else if (!Weights.AreRounded || site == Site.Head)
        {
            (StoredTensor stored, int[] order) = _stored[site];
            stored.CopyRow(order.Length == 0 ? row : order[row], destination);
        }
        else
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Weights.Map(site).Matrix.Select(torch.tensor([(long)row], device: Weights.Device)).to(ScalarType.Float32).cpu().data<float>().CopyTo(destination);
        }
    }

    /// <inheritdoc />
    public override void Multiply(Site site, FloatMatrix x, FloatMatrix y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable noGrad = torch.no_grad();
        Tensor input = torch.tensor(x.Values, x.Rows, x.Columns, device: Weights.Device);
        torch.nn.functional.linear(input, Weights.Map(site).Matrix.Values().to(ScalarType.Float32)).cpu().data<float>().CopyTo(y.Values);
    }

    /// <inheritdoc />
    public override void CopyBias(Site site, Span<float> destination)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        destination.Clear();
        Weights.Map(site).Bias?.to(ScalarType.Float32).cpu().data<float>().CopyTo(destination);
    }

    /// <summary>What libtorch runs on the processor takes as many threads of its own, the same number for everybody in the process.</summary>
    private static void UseThreads(WorkerPool pool) => torch.set_num_threads(pool.WorkerCount);

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (_isView)
        {
            return;
        }

        Arenas.Dispose();
        Weights.Dispose();
        reservation.Dispose();
        base.Weights.Dispose();
    }
}
