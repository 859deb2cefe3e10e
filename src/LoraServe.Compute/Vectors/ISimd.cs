namespace LoraServe.Compute.Vectors;

/// <summary>The vector operations that panel kernels are written in, for one vector width.</summary>
/// <remarks>
/// Kernels are generic over an implementation, so each is written once and compiled once per width. An operation that needs an
/// instruction the machine lacks computes the same bits without it, so every width runs, and is tested, everywhere.
/// </remarks>
/// <typeparam name="TFloat">A vector of <see cref="Lanes"/> floats.</typeparam>
/// <typeparam name="TInt">A vector of as many 32-bit lanes, also seen as 16-bit pairs and bytes.</typeparam>
internal unsafe interface ISimd<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    /// <summary>32-bit lanes of a vector: output rows of a panel.</summary>
    static abstract int Lanes { get; }

    /// <summary>Whether <see cref="DotAdd"/> is one instruction.</summary>
    static abstract bool HasDot { get; }

    static abstract TFloat Load(float* source);

    static abstract void Store(TFloat vector, float* destination);

    static abstract TFloat Broadcast(float value);

    static abstract TFloat Add(TFloat a, TFloat b);

    static abstract TFloat Multiply(TFloat a, TFloat b);

    /// <summary>a · b + c, fused where the machine can.</summary>
    static abstract TFloat MultiplyAdd(TFloat a, TFloat b, TFloat c);

    /// <summary>Widens finite half-precision values.</summary>
    static abstract TFloat LoadHalves(ushort* source);

    /// <summary>Widens upper halves of singles.</summary>
    static abstract TFloat LoadBFloats(ushort* source);

    static abstract TInt LoadBytes(byte* source);

    static abstract TInt BroadcastInt(int value);

    /// <summary>16 bytes, again and again.</summary>
    static abstract TInt RepeatBytes(byte* source);

    /// <summary>Widens a signed byte for each 32-bit lane.</summary>
    static abstract TInt LoadSignedBytes(sbyte* source);

    static abstract TInt And(TInt a, TInt b);

    static abstract TInt Or(TInt a, TInt b);

    /// <summary>Shifts each 32-bit lane left.</summary>
    static abstract TInt ShiftLeft(TInt a, int count);

    /// <summary>Shifts each 32-bit lane right, filling with zeros.</summary>
    static abstract TInt ShiftRight(TInt a, int count);

    static abstract TInt AddInts(TInt a, TInt b);

    static abstract TInt AddShorts(TInt a, TInt b);

    /// <summary>Per 16-bit lane: unsigned byte · signed byte of both bytes, summed. The caller keeps the sum within 16 bits.</summary>
    static abstract TInt MultiplyBytePairs(TInt unsigned, TInt signed);

    /// <summary>Per 32-bit lane: the sum of its two signed 16-bit halves.</summary>
    static abstract TInt SumShortPairs(TInt shorts);

    /// <summary>Per 32-bit lane: sum + the four unsigned byte · signed byte products. Each pair of them fits 16 bits.</summary>
    static abstract TInt DotAdd(TInt sum, TInt unsigned, TInt signed);

    static abstract TFloat ToFloat(TInt ints);

    /// <summary>Per lane: element index (0…15) of a table of 16.</summary>
    static abstract TFloat LookUp(float* table, TInt indices);

    /// <summary>Per byte: element index (0…15) of a table that <see cref="RepeatBytes"/> made.</summary>
    static abstract TInt LookUpBytes(TInt table, TInt indices);

    /// <summary>Asks for a cache line that will be read soon; any address will do.</summary>
    static abstract void Prefetch(byte* address);
}
