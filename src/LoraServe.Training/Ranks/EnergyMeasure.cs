namespace LoraServe.Training.Ranks;

/// <summary>What a singular value counts for in the energy of a matrix.</summary>
public enum EnergyMeasure
{
    /// <summary>σ: shares of the nuclear norm.</summary>
    Sum,

    /// <summary>σ²: shares of the squared Frobenius norm, so that what is not kept is the squared relative error.</summary>
    SumOfSquares,
}
