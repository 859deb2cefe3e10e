using LoraServe.Models.Forward;

namespace LoraServe.Serving.Tests.Store.Residency;

/// <summary>What stands in batches for an adapter that is in no memory.</summary>
internal sealed class CountedAdapter() : ResidentAdapter([], "", [])
{
    public override long ByteLength => 0;

    public override int MaximumRank => 0;

    public override int VirtualRows => 0;

    public override bool HasVirtualEmbeddings => false;
}
