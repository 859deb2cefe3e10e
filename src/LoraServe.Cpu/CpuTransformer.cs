using LoraServe.Adapters.Edits;
using LoraServe.Compute;
using LoraServe.Compute.Kernels;
using LoraServe.Compute.Machine;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Cpu.Backward;
using LoraServe.Cpu.Forward;
using LoraServe.Cpu.Resident;
using LoraServe.Cpu.Weights;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Models.Forward;

namespace LoraServe.Cpu;

/// <summary>A model in this machine's memory: packed matrices, and the token table where it lies in the file.</summary>
internal sealed unsafe class CpuTransformer : Transformer
{
    private readonly bool _isView;

    /// <summary>Takes over what has been packed.</summary>
    /// <param name="weights">What it comes from.</param>
    /// <param name="arithmetic">What the matrices are packed for.</param>
    /// <param name="packed">The weights.</param>
    public CpuTransformer(ModelWeights weights, Arithmetic arithmetic, PackedWeights packed)
        : base(weights, arithmetic) => Packed = packed;

    private CpuTransformer(CpuTransformer source, Arithmetic arithmetic)
        : base(source.Weights, arithmetic)
    {
        Packed = source.Packed.In(arithmetic);
        _isView = true;
    }

    /// <summary>The weights as the operations read them.</summary>
    public PackedWeights Packed { get; }

    /// <inheritdoc />
    public override string Device => CpuDevice.Instance.Name;

    /// <inheritdoc />
    public override long ByteLength => Packed.TokenTable.ByteLength + (Packed.Positions?.ByteLength ?? 0) + StepBytes;

    /// <inheritdoc />
    public override long StepBytes => Packed.ByteLength;

    /// <inheritdoc />
    public override bool IsBatchInvariant => true;

    /// <inheritdoc />
    public override Transformer ComputingIn(Arithmetic arithmetic) => new CpuTransformer(this, arithmetic);

    /// <inheritdoc />
    public override ResidentAdapter Place(IReadOnlyList<AdapterEdit> edits, string digest = "", ReadOnlySpan<int> invocationTokens = default)
    {
        ArgumentNullException.ThrowIfNull(edits);
        ArgumentNullException.ThrowIfNull(digest);
        return new CpuAdapter(edits, this, Packed.Sites, digest, invocationTokens);
    }

    /// <inheritdoc />
    public override long PageBytes(ElementType type) => KvPool.BytesPerPage(Spec, type);

    /// <inheritdoc />
    public override IStepRunner CreateRunner(WorkerPool pool, int pageCount, ElementType type) => new CpuRunner(Packed, new KvPool(Spec, pageCount, type), pool);

    /// <inheritdoc />
    public override ITrainingPass CreateTraining(WorkerPool pool) => new CpuTrainingPass(Packed, pool);

    /// <inheritdoc />
    public override DeviceLimits MeasureLimits(WorkerPool pool)
    {
        var limits = MachineLimits.Measure(pool);
        return new DeviceLimits(ProcessorTopology.Name, InstructionSet.Name, "float32", limits.ReadBytesPerSecond, limits.FloatOperationsPerSecond);
    }

    /// <inheritdoc />
    public override void CopyWeightRow(Site site, int row, Span<float> destination)
    {
        if (site.Role == SiteRole.Embedding || (site.Role == SiteRole.Head && TiedHead))
        {
            Packed.TokenTable.CopyRow(row, destination);
        }
        else if (site.Role == SiteRole.Positions)
        {
            Packed.Positions!.CopyRow(row, destination);
        }
        else
        {
            Packed.Linear(site).Matrix.CopyRow(row, destination);
        }
    }

    /// <inheritdoc />
    public override void Multiply(Site site, FloatMatrix x, FloatMatrix y)
    {
        fixed (float* from = x.Values, to = y.Values)
        {
            MatMul.RunSerial(Packed.Linear(site).Matrix, new Rows((nint)from, x.Rows, x.Columns, x.Columns), new Rows((nint)to, y.Rows, y.Columns, y.Columns));
        }
    }

    /// <inheritdoc />
    public override void CopyBias(Site site, Span<float> destination)
    {
        if (Packed.Linear(site).Bias is { } bias)
        {
            new ReadOnlySpan<float>(bias.Pointer, destination.Length).CopyTo(destination);
        }
        else
        {
            destination.Clear();
        }
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (_isView)
        {
            return;
        }

        Packed.Dispose();
        Weights.Dispose();
    }
}
