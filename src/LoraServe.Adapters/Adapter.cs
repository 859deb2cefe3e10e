using System.Collections.Immutable;
using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters;

/// <summary>A parsed and checked adapter in host memory: immutable, ready to be made resident.</summary>
public sealed class Adapter
{
    internal Adapter(ImmutableArray<AdapterEdit> edits, ImmutableArray<int> invocationTokens, string digest, AdapterReport report)
    {
        Edits = edits;
        InvocationTokens = invocationTokens;
        Digest = digest;
        Report = report;
        ByteLength = edits.Sum(edit => edit.ByteLength)
            + edits.OfType<SharedLowRank>().SelectMany(edit => (SharedMatrix[])[edit.A, edit.B]).Distinct().Sum(matrix => matrix.Values.ByteLength);
    }

    /// <summary>What it changes in the base.</summary>
    public ImmutableArray<AdapterEdit> Edits { get; }

    /// <summary>Tokens of the prompt from whose last occurrence on the edits are active (aLoRA); empty: everywhere.</summary>
    public ImmutableArray<int> InvocationTokens { get; }

    /// <summary>SHA-256 of its files, in lower-case hexadecimal.</summary>
    public string Digest { get; }

    /// <summary>What loading found.</summary>
    public AdapterReport Report { get; }

    /// <summary>Bytes of host memory that the edits take.</summary>
    public long ByteLength { get; }
}
