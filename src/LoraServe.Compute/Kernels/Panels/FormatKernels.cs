using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>What only the kernels of one panel format and one vector width do.</summary>
internal abstract unsafe class FormatKernels
{
    /// <summary>A panel's values in single precision, [inputs, lanes], exactly as the format defines them.</summary>
    /// <param name="panel">The panel, or a part of it that begins and ends with whole blocks.</param>
    /// <param name="outputs">Lanes that hold outputs.</param>
    /// <param name="inputs">Number of inputs.</param>
    /// <param name="widened">Memory for them.</param>
    /// <returns><paramref name="widened"/>, or where they lie already.</returns>
    public abstract float* Singles(byte* panel, int outputs, int inputs, float* widened);

    /// <summary>Multiplies float32 rows one by one, widening weights as they are read.</summary>
    /// <returns>Whether the format is read so; otherwise nothing was done.</returns>
    public virtual bool MultiplyEachRow(PackedMatrix m, Rows x, in TileTarget target) => false;

    /// <summary>Multiplies rounded rows.</summary>
    /// <exception cref="InvalidOperationException">The weights are no integers.</exception>
    public virtual void MultiplyIntegers(PackedMatrix m, ActivationBlock* x, int rowCount, in TileTarget target) =>
        throw new InvalidOperationException($"{m.Format} has no integers");
}
