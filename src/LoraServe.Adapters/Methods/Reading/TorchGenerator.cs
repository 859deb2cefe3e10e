namespace LoraServe.Adapters.Methods.Reading;

/// <summary>PyTorch's random numbers on the CPU, bit for bit: the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998) and what PyTorch draws with it.</summary>
internal sealed class TorchGenerator
{
    private const int Length = 624;
    private const int Offset = 397;
    private const int FractionBits = 24;

    /// <summary>Permutations of as many elements or more are drawn in another way.</summary>
    public const int PermutationLimit = (int)(uint.MaxValue / 20);

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
            // PyTorch's compiled kernel rounds once here.
            values[i] = MathF.FusedMultiplyAdd(Fraction(), bound - -bound, -bound);
        }

        return values;
    }

    /// <summary>Uniform within [0, 1), of float32.</summary>
    public float[] Uniform(int count)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = Fraction();
        }

        return values;
    }

    /// <summary>Kaiming's uniform initialisation with a = √5 of a weight in bfloat16: U(−b, b) with b = 1 / √inputs. What is rounded to b becomes −b.</summary>
    public float[] KaimingUniformBFloat16(int count, int inputs)
    {
        float bound = (float)(Math.Sqrt(3) * (Math.Sqrt(2.0 / 6) / Math.Sqrt(inputs)));
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            float value = RoundToBFloat16(MathF.FusedMultiplyAdd(Fraction(), bound - -bound, -bound));
            values[i] = value >= RoundToBFloat16(bound) ? -value : value;
        }

        return values;
    }

    // Few are drawn in double, two at a time.
    private float[] FewNormal(int count, float deviation)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i += 2)
        {
            (double turn, double radius) = (2 * Math.PI * LongFraction(), Math.Sqrt(-2 * double.LogP1(-LongFraction())));
            values[i] = (float)(deviation * radius * Math.Cos(turn));
            if (i + 1 < count)
            {
                values[i + 1] = (float)(deviation * radius * Math.Sin(turn));
            }
        }

        return values;
    }

    /// <summary>Normal with mean 0 (Box and Muller), of float32: up to the last bits, in which vector instructions differ.</summary>
    public float[] Normal(int count, float deviation)
    {
        const int Run = 16;
        const int Half = Run / 2;
        if (count < Run)
        {
            return FewNormal(count, deviation);
        }

        float[] values = Uniform(count);
        for (int i = 0; i + Run <= count; i += Run)
        {
            Turn(values.AsSpan(i, Run));
        }

        if (count % Run != 0)
        {
            Uniform(Run).CopyTo(values.AsSpan(count - Run));
            Turn(values.AsSpan(count - Run));
        }

        return values;

        void Turn(Span<float> run)
        {
            for (int i = 0; i < Half; i++)
            {
                float radius = MathF.Sqrt(-2 * MathF.Log(1 - run[i]));
                (float sine, float cosine) = MathF.SinCos(2 * MathF.PI * run[i + Half]);
                (run[i], run[i + Half]) = (radius * cosine * deviation, radius * sine * deviation);
            }
        }
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

    /// <summary>The nearest number that bfloat16 has, of two the even one.</summary>
    public static float RoundToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }

    private double LongFraction() => ((((ulong)Next() << 32) | Next()) & ((1UL << 53) - 1)) * (1.0 / (1UL << 53));

    private float Fraction() => (Next() & ((1u << FractionBits) - 1)) * (1f / (1 << FractionBits));

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
