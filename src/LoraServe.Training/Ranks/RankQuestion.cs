using LoraServe.Adapters;
using LoraServe.Adapters.Edits;

namespace LoraServe.Training.Ranks;

/// <summary>What is known when ranks are chosen.</summary>
public sealed record RankQuestion
{
    /// <summary>The base model.</summary>
    public required IBaseModel Model { get; init; }

    /// <summary>The linear maps that get a low-rank pair.</summary>
    public required IReadOnlyList<BaseModule> Targets { get; init; }

    /// <summary>What is known of the data set; null where there is none yet.</summary>
    public DataSetFacts? Data { get; init; }

    /// <summary>The kind of task; null where it is not known.</summary>
    public TaskKind? Task { get; init; }

    /// <summary>For each target the singular values of its weight or of the change that is to be approximated; null where they are not known.</summary>
    public IReadOnlyDictionary<Site, Spectrum>? Spectra { get; init; }

    /// <summary>No rank is chosen above this.</summary>
    public int MaximumRank { get; init; } = int.MaxValue;

    /// <summary>Parameters that a rank of 1 costs at all targets together: inputs and outputs of each.</summary>
    public long ParametersPerRank => Targets.Sum(target => (long)target.Inputs + target.Outputs);
}
