using System.Numerics;

namespace LoraServe.Adapters.Methods.Reading;

/// <summary>NumPy's random numbers as <c>default_rng</c> gives them, bit for bit: PCG64 (O'Neill 2014) seeded through a SeedSequence, and what is drawn with it.</summary>
internal sealed class NumpyGenerator
{
    private const int PoolSize = 4;
    private const int RotationShift = 58;
    private static readonly UInt128 s_multiplier = new(2549297995355413924UL, 4865540595714422341UL);
    private readonly UInt128 _increment;
    private UInt128 _state;
    private uint? _half;

    /// <summary>A generator as after <c>default_rng(seed)</c>.</summary>
    public NumpyGenerator(uint seed)
    {
        ulong[] words = SeedWords(seed);
        _increment = (new UInt128(words[2], words[3]) << 1) | 1;
        _state = _increment;
        _state += new UInt128(words[0], words[1]);
        _state = (_state * s_multiplier) + _increment;
    }

    /// <summary>Puts items in random order (<c>shuffle</c>).</summary>
    public void Shuffle(Span<int> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int other = (int)BelowByMask((uint)i);
            (items[i], items[other]) = (items[other], items[i]);
        }
    }

    /// <summary>Different numbers below a limit (<c>choice</c> without replacement).</summary>
    /// <param name="limit">What all are below.</param>
    /// <param name="count">How many; at most the limit.</param>
    public int[] Choose(int limit, int count)
    {
        const int Large = 10_000;
        const int Cutoff = 50;
        if (limit > Large && count > limit / Cutoff)
        {
            int[] all = [.. Enumerable.Range(0, limit)];
            ShuffleFrom(all, Math.Max(limit - count, 1));
            return all[(limit - count)..];
        }

        // Floyd's algorithm (Bentley 1987).
        var chosen = new HashSet<int>();
        int[] numbers = new int[count];
        for (int last = limit - count; last < limit; last++)
        {
            int drawn = (int)Below((uint)last);
            int number = chosen.Contains(drawn) ? last : drawn;
            chosen.Add(number);
            numbers[last - limit + count] = number;
        }

        ShuffleFrom(numbers, 1);
        return numbers;
    }

    /// <summary>A number from 0 to a last one, by as many bits as that has.</summary>
    private uint BelowByMask(uint last)
    {
        uint mask = uint.MaxValue >> BitOperations.LeadingZeroCount(last);
        uint number = Next32() & mask;
        while (number > last)
        {
            number = Next32() & mask;
        }

        return number;
    }

    /// <summary>A number from 0 to a last one (Lemire 2019).</summary>
    private uint Below(uint last)
    {
        if (last == 0)
        {
            return 0;
        }

        ulong range = last + 1UL;
        ulong product = Next32() * range;
        if ((uint)product < range)
        {
            uint threshold = (uint)((uint.MaxValue - last) % range);
            while ((uint)product < threshold)
            {
                product = Next32() * range;
            }
        }

        return (uint)(product >> 32);
    }

    private static ulong[] SeedWords(uint seed)
    {
        const uint XShift = 16;
        const uint MixLeft = 0xca01f9dd;
        const uint MixRight = 0x4973f715;
        uint constant = 0x43b0d7e5;
        uint[] pool = new uint[PoolSize];
        for (int i = 0; i < PoolSize; i++)
        {
            pool[i] = Hash(i == 0 ? seed : 0, 0x931e8875);
        }

        for (int from = 0; from < PoolSize; from++)
        {
            for (int to = 0; to < PoolSize; to++)
            {
                if (from != to)
                {
                    uint mixed = (MixLeft * pool[to]) - (MixRight * Hash(pool[from], 0x931e8875));
                    pool[to] = mixed ^ (mixed >> (int)XShift);
                }
            }
        }

        constant = 0x8b51f9dd;
        uint[] words = new uint[2 * PoolSize];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = Hash(pool[i % PoolSize], 0x58f38ded);
        }

        return [.. Enumerable.Range(0, PoolSize).Select(i => words[2 * i] | ((ulong)words[(2 * i) + 1] << 32))];

        uint Hash(uint value, uint multiplier)
        {
            value ^= constant;
            constant *= multiplier;
            value *= constant;
            return value ^ (value >> (int)XShift);
        }
    }

    private void ShuffleFrom(Span<int> items, int first)
    {
        for (int i = items.Length - 1; i >= first; i--)
        {
            int other = (int)Below((uint)i);
            (items[i], items[other]) = (items[other], items[i]);
        }
    }

    private uint Next32()
    {
        if (_half is { } kept)
        {
            _half = null;
            return kept;
        }

        ulong next = Next64();
        _half = (uint)(next >> 32);
        return (uint)next;
    }

    private ulong Next64()
    {
        _state = (_state * s_multiplier) + _increment;
        ulong mixed = (ulong)(_state >> 64) ^ (ulong)_state;
        return ulong.RotateRight(mixed, (int)(_state >> (64 + RotationShift)));
    }
}
