using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Kernels;

/// <summary>Activation rows [T, inputs] together with the integer forms that the matrices about to read them need.</summary>
public readonly struct MatMulInput
{
    private MatMulInput(Rows values) => Values = values;

    /// <summary>The rows as float32.</summary>
    public Rows Values { get; }

    /// <summary>Rounds the rows once for all <paramref name="readers"/>; what it makes lives in <paramref name="scratch"/>.</summary>
    public static MatMulInput Prepare(WorkerPool pool, ScratchArena scratch, Rows x, ReadOnlySpan<PackedMatrix> readers) => new(x);
}
