using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Sampling;

/// <summary>Tokens in descending order of a value, ascending by token where values are equal, packed into integers that sort that way.</summary>
internal static class Candidates
{
    /// <summary>Puts the tokens whose value is at least <paramref name="least"/> in order.</summary>
    /// <param name="values">A value for each token; none is NaN.</param>
    /// <param name="least">Smallest value to take.</param>
    /// <param name="order">As long as <paramref name="values"/>; gets the result.</param>
    /// <returns>How many were taken.</returns>
    public static int Sort(ReadOnlySpan<float> values, float least, Span<ulong> order)
    {
        int count = 0;
        for (int token = 0; token < values.Length; token++)
        {
            if (values[token] >= least)
            {
                order[count++] = Pack(values[token], token);
            }
        }

        order[..count].Sort();
        return count;
    }

    /// <summary>Puts the greatest <paramref name="count"/> tokens in order.</summary>
    public static void SortTop(ReadOnlySpan<float> values, int count, Span<ulong> order)
    {
        // A heap of the best so far, its worst on top: most tokens are turned away by one comparison.
        Span<ulong> heap = order[..count];
        for (int token = 0; token < count; token++)
        {
            heap[token] = Pack(values[token], token);
        }

        for (int i = (count / 2) - 1; i >= 0; i--)
        {
            Sift(heap, i);
        }

        for (int token = count; token < values.Length; token++)
        {
            ulong packed = Pack(values[token], token);
            if (packed < heap[0])
            {
                heap[0] = packed;
                Sift(heap, 0);
            }
        }

        heap.Sort();
    }

    /// <summary>The most likely tokens of a row of logits, best first.</summary>
    /// <param name="logits">The row.</param>
    /// <param name="logSum">The logarithm of the sum of its exponentials.</param>
    /// <param name="count">How many; few.</param>
    public static TokenProbability[] MostLikely(ReadOnlySpan<float> logits, double logSum, int count)
    {
        count = Math.Min(count, logits.Length);
        if (count == 0)
        {
            return [];
        }

        Span<ulong> order = stackalloc ulong[count];
        SortTop(logits, count, order);
        var top = new TokenProbability[count];
        for (int i = 0; i < count; i++)
        {
            int token = Token(order[i]);
            top[i] = new TokenProbability(token, (float)(logits[token] - logSum));
        }

        return top;
    }

    /// <summary>The token of a packed entry.</summary>
    public static int Token(ulong packed) => (int)(uint)packed;

    // An integer that descends as the float ascends, above the token.
    private static ulong Pack(float value, int token)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value == 0 ? 0 : value);
        uint ascending = (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
        return ((ulong)~ascending << 32) | (uint)token;
    }

    private static void Sift(Span<ulong> heap, int i)
    {
        while (true)
        {
            int child = (2 * i) + 1;
            if (child >= heap.Length)
            {
                return;
            }

            if (child + 1 < heap.Length && heap[child + 1] > heap[child])
            {
                child++;
            }

            if (heap[child] <= heap[i])
            {
                return;
            }

            (heap[i], heap[child]) = (heap[child], heap[i]);
            i = child;
        }
    }
}
