using System.Runtime.CompilerServices;
using LoraServe.Compute.Vectors;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>How a <see cref="FloatTile{TSimd, TFloat, TInt}"/> reads one vector of weights; one type for each float panel format.</summary>
internal unsafe interface IFloatFormat
{
    /// <summary>Bytes of an element.</summary>
    static abstract int Bytes { get; }

    /// <summary>One element per lane, as float32.</summary>
    static abstract TFloat Load<TSimd, TFloat, TInt>(byte* source)
        where TSimd : struct, ISimd<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged;
}

/// <summary><see cref="Matrices.PanelFormat.F32"/>.</summary>
internal readonly unsafe struct SingleFormat : IFloatFormat
{
    public static int Bytes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Load<TSimd, TFloat, TInt>(byte* source)
        where TSimd : struct, ISimd<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged => TSimd.Load((float*)source);
}

/// <summary><see cref="Matrices.PanelFormat.F16"/>.</summary>
internal readonly unsafe struct HalfFormat : IFloatFormat
{
    public static int Bytes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Load<TSimd, TFloat, TInt>(byte* source)
        where TSimd : struct, ISimd<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged => TSimd.LoadHalves((ushort*)source);
}

/// <summary><see cref="Matrices.PanelFormat.BF16"/>.</summary>
internal readonly unsafe struct BFloatFormat : IFloatFormat
{
    public static int Bytes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Load<TSimd, TFloat, TInt>(byte* source)
        where TSimd : struct, ISimd<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged => TSimd.LoadBFloats((ushort*)source);
}
