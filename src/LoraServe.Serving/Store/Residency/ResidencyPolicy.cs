namespace LoraServe.Serving.Store.Residency;

/// <summary>Decides which adapters are in memory. A pure function: the same state gives the same decision.</summary>
/// <remarks>
/// Room for an adapter is made in this order. 1. Resident adapters that no request runs on or waits for go, the least
/// recently used first. 2. Once a request has waited too long and its turn has come, also those that others only wait for.
/// 3. Then those that run take no new requests until they are free. So requests for what is resident are served together
/// before anything is evicted that they need, and nobody waits forever. What is pinned, what runs and what the request whose
/// turn it is needs never goes; since one request has the turn at a time, no two take turns evicting each other's adapters.
/// </remarks>
internal static class ResidencyPolicy
{
    private static readonly (ResidencyStep, int) s_nothing = (ResidencyStep.None, -1);

    /// <summary>The next thing to do. Whoever asks does it, and asks again until there is nothing.</summary>
    /// <param name="free">Bytes of the budget that are not taken; negative when it was made smaller.</param>
    /// <param name="idle">Bytes that come back when all goes that no request runs on or waits for.</param>
    /// <param name="residents">What is resident, the least recently used first.</param>
    /// <param name="asked">What is neither resident nor loading and somebody wants, who asked first first.</param>
    /// <returns>What to do, and with which of <paramref name="residents"/> or, to load, of <paramref name="asked"/>.</returns>
    public static (ResidencyStep Step, int Index) Next(long free, long idle, ReadOnlySpan<ResidencyEntry> residents, ReadOnlySpan<ResidencyEntry> asked)
    {
        if (free < 0 && LeastMissed(residents) is >= 0 and var excess)
        {
            return (ResidencyStep.Evict, excess);
        }

        int urgent = 0;
        while (urgent < asked.Length && !asked[urgent].IsUrgent)
        {
            urgent++;
        }

        if (urgent < asked.Length)
        {
            long missing = asked[urgent].Bytes - free;
            return missing <= 0 ? (ResidencyStep.Load, urgent) : MakeRoom(missing, residents);
        }

        for (int i = 0; i < residents.Length; i++)
        {
            if (residents[i].IsDraining)
            {
                return (ResidencyStep.Resume, i);
            }
        }

        for (int i = 0; i < asked.Length; i++)
        {
            if (asked[i].Bytes <= free)
            {
                return (ResidencyStep.Load, i);
            }

            if (asked[i].Bytes <= free + idle)
            {
                return (ResidencyStep.Evict, LeastMissed(residents));
            }
        }

        return s_nothing;
    }

    // For whoever's turn it is. While its room does not suffice, there is none for others either.
    private static (ResidencyStep Step, int Index) MakeRoom(long missing, ReadOnlySpan<ResidencyEntry> residents)
    {
        if (LeastMissed(residents) is >= 0 and var gone)
        {
            return (ResidencyStep.Evict, gone);
        }

        int next = -1;
        for (int i = 0; i < residents.Length; i++)
        {
            if (residents[i].IsDraining)
            {
                missing -= residents[i].Bytes;
            }
            else if (next < 0 && !residents[i].Stays)
            {
                next = i;
            }
        }

        return missing > 0 && next >= 0 ? (ResidencyStep.Drain, next) : s_nothing;
    }

    // Of what can go now: the least recently used that nobody waits for, else the least recently used; −1 where nothing can.
    private static int LeastMissed(ReadOnlySpan<ResidencyEntry> residents)
    {
        int missed = -1;
        for (int i = 0; i < residents.Length; i++)
        {
            if (residents[i].Stays || residents[i].IsLeased)
            {
                continue;
            }

            if (!residents[i].IsWanted)
            {
                return i;
            }

            missed = missed < 0 ? i : missed;
        }

        return missed;
    }
}
