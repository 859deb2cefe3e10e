namespace LoraServe.Training.Data;

/// <summary>What becomes of rows that are longer than the maximum length, or have nothing to learn.</summary>
public enum LongRows
{
    /// <summary>Long rows are cut on the right; one of which nothing to learn is left is refused.</summary>
    Truncate,

    /// <summary>Both are refused, with their line.</summary>
    Refuse,

    /// <summary>Both are left out.</summary>
    Skip,
}
