using LoraServe.Adapters.Edits;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;

namespace LoraServe.Adapters.Resident;

/// <summary>An adapter in compute form: native memory, immutable, found by site without a dictionary. Any thread may read it.</summary>
public sealed class ResidentAdapter : IDisposable
{
    private readonly LinearEdit?[] _linears;
    private readonly NormEdit?[] _norms;
    private readonly int[] _invocationTokens;
    private readonly List<IDisposable> _memory = [];

    private ResidentAdapter(Adapter adapter, IBaseModel model)
    {
        Digest = adapter.Digest;
        _invocationTokens = [.. adapter.InvocationTokens];
        _linears = new LinearEdit?[(model.LayerCount * Site.RolesPerLayer) + 1];
        _norms = new NormEdit?[(model.LayerCount * NormSite.RolesPerLayer) + 1];
        try
        {
            ILookup<Site, ModuleEdit> edits = adapter.Edits.OfType<ModuleEdit>().ToLookup(edit => edit.Site);
            foreach (BaseModule module in model.Modules.Where(module => edits.Contains(module.Site)))
            {
                Place(module, new SiteEdits(module, [.. edits[module.Site]]));
            }

            foreach (NormDelta norm in adapter.Edits.OfType<NormDelta>())
            {
                _norms[Index(norm.Site)] = new NormEdit(Copy(norm.Values), norm.Values.Length);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The adapter's digest.</summary>
    public string Digest { get; }

    /// <summary>Bytes of native memory held.</summary>
    public long ByteLength { get; private set; }

    /// <summary>Greatest rank of a low-rank part at a linear map.</summary>
    public int MaximumRank => _linears.Max(edit => edit?.Rank ?? 0);

    /// <summary>What it does to the token table's rows; null: nothing.</summary>
    public EmbeddingEdit? Embedding { get; private set; }

    /// <summary>Tokens of the prompt from whose last occurrence on it is active; empty: everywhere.</summary>
    public ReadOnlySpan<int> InvocationTokens => _invocationTokens;

    /// <summary>Copies an adapter into compute form.</summary>
    /// <param name="adapter">Loaded on <paramref name="model"/>.</param>
    /// <param name="model">The base.</param>
    /// <exception cref="OutOfMemoryException">The machine has not that much memory.</exception>
    public static ResidentAdapter Create(Adapter adapter, IBaseModel model)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        ArgumentNullException.ThrowIfNull(model);
        return new ResidentAdapter(adapter, model);
    }

    /// <summary>What it does at a linear map; null: nothing.</summary>
    public LinearEdit? At(Site site) => _linears[Index(site)];

    /// <summary>What it does at a norm; null: nothing.</summary>
    public NormEdit? At(NormSite site) => _norms[Index(site)];

    /// <inheritdoc />
    public void Dispose() => _memory.ForEach(part => part.Dispose());

    private int Index(Site site) => site.Role == SiteRole.Head ? _linears.Length - 1 : (site.Layer * Site.RolesPerLayer) + (int)site.Role;

    private int Index(NormSite site) => site.Role == NormRole.Final ? _norms.Length - 1 : (site.Layer * NormSite.RolesPerLayer) + (int)site.Role;

    private unsafe void Place(BaseModule module, SiteEdits edits)
    {
        if (module.Site == Site.Embedding)
        {
            Embedding = new EmbeddingEdit(
                module.Inputs,
                edits.A?.Rows ?? 0,
                (float*)Copy(edits.A is null ? null : edits.A.Transposed().Values),
                (float*)Copy(edits.B is null ? null : Scaled(edits.B.Transposed().Values, edits.Scale)),
                (float*)Copy(edits.OutputGain),
                (float*)Copy(edits.Dense?.Values),
                (float*)Copy(edits.RowDeltas?.Values),
                edits.RowIds);
            return;
        }

        _linears[Index(module.Site)] = new LinearEdit(
            Pack(edits.A), Pack(edits.B), edits.Scale, Copy(edits.OutputGain), Pack(edits.Dense), Copy(edits.Bias), Pack(edits.RowDeltas), edits.RowIds);
    }

    private PackedMatrix? Pack(FloatMatrix? matrix)
    {
        if (matrix is null)
        {
            return null;
        }

        PackedMatrix packed = PackedMatrix.FromFloats(matrix.Values, matrix.Rows, matrix.Columns);
        _memory.Add(packed);
        ByteLength += packed.ByteLength;
        return packed;
    }

    private unsafe nint Copy(float[]? values)
    {
        if (values is null)
        {
            return 0;
        }

        var buffer = new NativeBuffer(values.LongLength * sizeof(float));
        _memory.Add(buffer);
        ByteLength += buffer.ByteLength;
        values.CopyTo(new Span<float>(buffer.Pointer, values.Length));
        return (nint)buffer.Pointer;
    }

    private static float[] Scaled(float[] values, float scale) => Array.ConvertAll(values, value => value * scale);
}
