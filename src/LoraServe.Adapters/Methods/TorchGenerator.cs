namespace LoraServe.Adapters.Methods;

/// <summary>PyTorch's random numbers on the CPU, bit for bit: the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998) and its uniform distribution of float32.</summary>
internal sealed class TorchGenerator
{
    private const int Length = 624;
    private const int Offset = 397;
    private const int FractionBits = 24;
    private readonly uint[] _state = new uint[Length];
    private int _next = Length;

    /// <summary>A generator as after <c>manual_seed</c>, of whose argument the lower half counts.</summary>
    public TorchGenerator(ulong seed)
    {
        _state[0] = (uint)seed;
        for (uint i = 1; i < Length; i++)
        {
            _state[i] = (1812433253u * (_state[i - 1] ^ (_state[i - 1] >> 30))) + i;
        }
    }

    /// <summary>Kaiming's uniform initialisation of a weight [rows, columns]: U(−b, b) with b = √(6 / columns).</summary>
    public float[] KaimingUniform(int rows, int columns)
    {
        float bound = (float)(Math.Sqrt(3) * (Math.Sqrt(2) / Math.Sqrt(columns)));
        float[] values = new float[checked(rows * columns)];
        for (int i = 0; i < values.Length; i++)
        {
            float unit = (Next() & ((1u << FractionBits) - 1)) * (1f / (1 << FractionBits));

            // PyTorch's compiled kernel rounds once here.
            values[i] = MathF.FusedMultiplyAdd(unit, bound - -bound, -bound);
        }

        return values;
    }

    /// <summary>The first numbers of a random permutation of all below a limit (<c>torch.randperm</c>, below 2³²/20).</summary>
    /// <param name="limit">What all are below.</param>
    /// <param name="count">How many to draw.</param>
    public int[] FirstOfPermutation(int limit, int count)
    {
        // What has not been moved lies in its own place.
        var moved = new Dictionary<int, int>();
        int[] first = new int[count];
        for (int i = 0; i < count; i++)
        {
            int other = i + (int)(Next() % (uint)(limit - i));
            first[i] = moved.GetValueOrDefault(other, other);
            moved[other] = moved.GetValueOrDefault(i, i);
        }

        return first;
    }

    private uint Next()
    {
        if (_next == Length)
        {
            Advance();
        }

        uint value = _state[_next++];
        value ^= value >> 11;
        value ^= (value << 7) & 0x9D2C5680;
        value ^= (value << 15) & 0xEFC60000;
        return value ^ (value >> 18);
    }

    private void Advance()
    {
        for (int i = 0; i < Length; i++)
        {
            uint mixed = (_state[i] & 0x80000000) | (_state[(i + 1) % Length] & 0x7FFFFFFF);
            _state[i] = _state[(i + Offset) % Length] ^ (mixed >> 1) ^ ((mixed & 1) * 0x9908B0DF);
        }

        _next = 0;
    }
}
