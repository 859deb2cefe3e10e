namespace LoraServe.Adapters.Methods.Training;

/// <summary>An adapter whose rank can grow while it is trained.</summary>
public interface IGrowingRank
{
    /// <summary>Whether it can, as it is configured.</summary>
    bool CanGrow { get; }

    /// <summary>The greatest rank of an update.</summary>
    int Rank { get; }

    /// <summary>An adapter of a higher rank that computes the same.</summary>
    /// <param name="rank">The rank.</param>
    TrainableAdapter Grown(int rank);
}
