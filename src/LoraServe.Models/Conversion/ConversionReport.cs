using LoraServe.Compute.Tensors;

namespace LoraServe.Models.Conversion;

/// <summary>What was written.</summary>
/// <param name="Types">For each type, the number of tensors and their bytes.</param>
/// <param name="Notes">What is not as one might expect: a sentence each.</param>
public sealed record ConversionReport(IReadOnlyDictionary<ElementType, (int Tensors, long Bytes)> Types, IReadOnlyList<string> Notes)
{
    /// <summary>Bytes of all tensors.</summary>
    public long Bytes => Types.Values.Sum(of => of.Bytes);
}
