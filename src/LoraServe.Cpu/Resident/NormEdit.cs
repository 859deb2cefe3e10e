using LoraServe.Compute.Kernels;

namespace LoraServe.Cpu.Resident;

/// <summary>What an adapter does at a norm: gains += weight · values, or gains = values. Memory belongs to the <see cref="CpuAdapter"/>.</summary>
/// <param name="Values">float32 [width].</param>
/// <param name="Width">Number of gains.</param>
/// <param name="Replaces">Whether the values take the gains' place.</param>
internal sealed unsafe record NormEdit(nint Values, int Width, bool Replaces = false)
{
    /// <summary>Edits gains in place.</summary>
    /// <param name="weight">The request's weight of the adapter.</param>
    /// <param name="gains">The base's gains, or what other adapters have made of them.</param>
    public void Apply(float weight, Span<float> gains)
    {
        if (Replaces)
        {
            new ReadOnlySpan<float>((float*)Values, Width).CopyTo(gains);
            return;
        }

        fixed (float* start = gains)
        {
            RowArithmetic.AddScaled((float*)Values, weight, start, Width);
        }
    }
}
