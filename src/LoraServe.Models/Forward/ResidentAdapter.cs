using LoraServe.Adapters.Edits;

namespace LoraServe.Models.Forward;

/// <summary>An adapter in a device's memory, ready to act in batches. Immutable; any thread may read it.</summary>
public abstract class ResidentAdapter : IDisposable
{
    private readonly int[] _invocationTokens;
    private readonly List<IDisposable> _owned = [];
    private readonly List<SharedPart> _sharedParts = [];

    /// <summary>Takes what is the same on every device.</summary>
    /// <param name="edits">The adapter's edits.</param>
    /// <param name="digest">The adapter's digest.</param>
    /// <param name="invocationTokens">Tokens that activate it; empty: always active.</param>
    protected ResidentAdapter(IReadOnlyList<AdapterEdit> edits, string digest, ReadOnlySpan<int> invocationTokens)
    {
        ArgumentNullException.ThrowIfNull(edits);
        _invocationTokens = [.. invocationTokens];
        Digest = digest;
        if (edits.OfType<ScalingClassifier>().SingleOrDefault() is { } classifier)
        {
            Classifier = Own(new RowClassifier(classifier));
        }
    }

    /// <summary>The adapter's digest.</summary>
    public string Digest { get; }

    /// <summary>What scales its pairs row by row, after a first pass (X-LoRA); null: nothing does. A sequence then has pages for that pass too.</summary>
    public RowClassifier? Classifier { get; }

    /// <summary>Tokens of the prompt from whose last occurrence on it is active; empty: everywhere.</summary>
    public ReadOnlySpan<int> InvocationTokens => _invocationTokens;

    /// <summary>Bytes of the device's memory held for this adapter alone: without what it shares with others.</summary>
    public abstract long ByteLength { get; }

    /// <summary>What it shares with others, each part once.</summary>
    public IReadOnlyList<SharedPart> SharedParts => _sharedParts;

    /// <summary>Greatest rank of a low-rank part at a linear map.</summary>
    public abstract int MaximumRank { get; }

    /// <summary>Rows ahead of the prompt that have an embedding or keys and values from this adapter.</summary>
    public abstract int VirtualRows { get; }

    /// <summary>Whether <see cref="VirtualRows"/> have embeddings, so that the last one predicts the first token; a prefix has only keys and values.</summary>
    public abstract bool HasVirtualEmbeddings { get; }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes over something that is freed with the adapter.</summary>
    /// <param name="part">The part.</param>
    protected T Own<T>(T part)
        where T : IDisposable
    {
        _owned.Add(part);
        return part;
    }

    /// <summary>Takes over a hold on what it shares with others.</summary>
    /// <param name="use">The hold.</param>
    protected TMatrix Own<TMatrix>(SharedMatrices<TMatrix>.Use use)
        where TMatrix : IDisposable
    {
        ArgumentNullException.ThrowIfNull(use);
        _owned.Add(use);
        if (!_sharedParts.Contains(use.Part))
        {
            _sharedParts.Add(use.Part);
        }

        return use.Matrix;
    }

    /// <summary>Frees what it owns, once.</summary>
    protected virtual void Dispose(bool disposing)
    {
        _owned.ForEach(part => part.Dispose());
        _owned.Clear();
    }
}
