namespace LoraServe.Adapters.Edits;

/// <summary>One change that an adapter makes to the base model.</summary>
/// <remarks>
/// Every edit of a file is a difference from the base, also where the file stores a whole new parameter. So an edit of weight w
/// adds w times what an edit of weight 1 adds, and edits of several adapters add up. Only training makes edits that take
/// the base's place (<see cref="WeightReplacement"/>, <see cref="NormReplacement"/>).
/// </remarks>
public abstract record AdapterEdit
{
    private protected AdapterEdit()
    {
    }

    /// <summary>Bytes of host memory that the numbers take.</summary>
    public abstract long ByteLength { get; }
}
