using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>What only the kernels of one panel format and one vector width do.</summary>
internal abstract unsafe class FormatKernels
{
    /// <summary>Values of a panel in single precision, [inputs, lanes], exactly as the format defines them.</summary>
    /// <param name="m">The matrix.</param>
    /// <param name="panel">Which of its panels.</param>
    /// <param name="first">First input; of codes, the first of a group.</param>
    /// <param name="count">Number of inputs; of codes, whole groups.</param>
    /// <param name="widened">Memory for them.</param>
    /// <returns><paramref name="widened"/>, or where they lie already.</returns>
    public abstract float* Singles(PackedMatrix m, int panel, int first, int count, float* widened);

    /// <summary>Multiplies float32 rows one by one, widening weights as they are read.</summary>
    /// <returns>Whether the format is read so; otherwise nothing was done.</returns>
    public virtual bool MultiplyEachRow(PackedMatrix m, Rows x, in TileTarget target) => false;

    /// <summary>Multiplies rounded rows.</summary>
    /// <exception cref="InvalidOperationException">The weights are no integers.</exception>
    public virtual void MultiplyIntegers(PackedMatrix m, ActivationBlock* x, int rowCount, in TileTarget target) =>
        throw new InvalidOperationException($"{m.Format} has no integers");
}
