using System.Buffers.Binary;

namespace LoraServe.Fuzz.Mutation;

/// <summary>Damage that knows nothing of what the bytes mean.</summary>
internal static class ByteMutator
{
    private const int LongestPiece = 64;

    /// <summary>Bytes with one thing wrong.</summary>
    /// <param name="random">What is drawn from.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="other">Others of the kind, of which pieces come in.</param>
    public static byte[] Mutate(Random random, byte[] bytes, byte[] other)
    {
        if (bytes.Length == 0)
        {
            return [(byte)random.Next(256)];
        }

        // Headers are at the front.
        int at = random.Next(random.OneIn(2) ? Math.Min(bytes.Length, 256) : bytes.Length);
        int length = Math.Min(random.Next(1, LongestPiece), bytes.Length - at);
        switch (random.Next(9))
        {
            case 0:
                return bytes[..at];
            case 1:
                return [.. bytes[..at], .. bytes[(at + length)..]];
            case 2:
                return [.. bytes[..at], .. bytes[at..(at + length)], .. bytes[at..]];
            case 3:
                return [.. bytes, .. Piece(random, bytes, other)];
            case 4:
                return [.. bytes[..at], .. Piece(random, bytes, other), .. bytes[at..]];
            case 5:
                byte[] zeroed = [.. bytes];
                zeroed.AsSpan(at, length).Fill((byte)random.Pick([0, 255, 32]));
                return zeroed;
            case 6:
                return Number(random, [.. bytes], at);
            default:
                byte[] changed = [.. bytes];
                for (int i = random.Next(1, 5); i > 0; i--)
                {
                    int place = Math.Min(at + random.Next(LongestPiece), bytes.Length - 1);
                    changed[place] = random.OneIn(2) ? (byte)(changed[place] ^ (1 << random.Next(8))) : (byte)random.Next(256);
                }

                return changed;
        }
    }

    private static ReadOnlySpan<byte> Piece(Random random, byte[] bytes, byte[] other)
    {
        byte[] source = random.OneIn(2) || other.Length == 0 ? bytes : other;
        int at = random.Next(source.Length);
        return source.AsSpan(at, Math.Min(random.Next(1, LongestPiece), source.Length - at));
    }

    private static byte[] Number(Random random, byte[] bytes, int at)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(number, random.Awkward(bytes[at]));
        number[..Math.Min(1 << random.Next(4), bytes.Length - at)].CopyTo(bytes.AsSpan(at));
        return bytes;
    }
}
