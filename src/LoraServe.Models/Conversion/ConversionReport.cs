namespace LoraServe.Models.Conversion;

/// <summary>What was written.</summary>
/// <param name="Types">For each type's name, the number of matrices and vectors and their bytes; a matrix in NF4 counts once, with its scales.</param>
/// <param name="Notes">What is not as one might expect: a sentence each.</param>
public sealed record ConversionReport(IReadOnlyDictionary<string, (int Tensors, long Bytes)> Types, IReadOnlyList<string> Notes)
{
    /// <summary>Bytes of all tensors.</summary>
    public long Bytes => Types.Values.Sum(of => of.Bytes);
}
