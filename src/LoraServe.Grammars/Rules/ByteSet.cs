namespace LoraServe.Grammars.Rules;

/// <summary>A set of bytes.</summary>
/// <param name="A">Bit b for byte b, from 0.</param>
/// <param name="B">From 64.</param>
/// <param name="C">From 128.</param>
/// <param name="D">From 192.</param>
internal readonly record struct ByteSet(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>The set that holds nothing.</summary>
    public static ByteSet Empty => default;

    public bool IsEmpty => (A | B | C | D) == 0;

    /// <summary>All bytes from one to another, both included.</summary>
    public static ByteSet Range(int first, int last) => new(Word(first, last, 0), Word(first, last, 64), Word(first, last, 128), Word(first, last, 192));

    public bool Contains(byte value) => ((value switch { < 64 => A, < 128 => B, < 192 => C, _ => D } >> (value & 63)) & 1) != 0;

    public ByteSet Union(ByteSet other) => new(A | other.A, B | other.B, C | other.C, D | other.D);

    private static ulong Word(int first, int last, int origin)
    {
        int low = Math.Max(first - origin, 0);
        int high = Math.Min(last - origin, 63);
        return low > high ? 0 : (ulong.MaxValue << low) & (ulong.MaxValue >> (63 - high));
    }
}
