using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Tests.Options;

public sealed class QueueLimitsTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(20, 17)]
    [InlineData(1024, 896)]
    public void Enter_OneTenantAlone_GetsSevenEighths(int places, int expected)
    {
        var queue = new QueueLimits(places, maxPerTenant: null, TimeProvider.System);

        Assert.Equal(expected, Fill(queue, "greedy"));
    }

    [Theory]
    [InlineData(20, 1)]
    [InlineData(64, 2)]
    [InlineData(1024, 4)]
    public void Enter_AfterGreedyTenants_TakesOneThatHasNothingWaiting(int places, int greedy)
    {
        var queue = new QueueLimits(places, maxPerTenant: null, TimeProvider.System);
        for (int i = 0; i < greedy; i++)
        {
            Fill(queue, $"greedy {i}");
        }

        Assert.True(TryEnter(queue, "modest"));
    }

    [Fact]
    public void Enter_TwoTenantsThatTakeAllTheyCan_EndWithEqualParts()
    {
        var queue = new QueueLimits(1024, maxPerTenant: null, TimeProvider.System);
        int[] waiting = [Fill(queue, "0"), 0];
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++)
        {
            int leaves = random.Next(queue.Count) < waiting[0] ? 0 : 1;
            queue.Leave($"{leaves}");
            waiting[leaves]--;
            waiting[0] += Fill(queue, "0");
            waiting[1] += Fill(queue, "1");
        }

        Assert.InRange(waiting[0] - waiting[1], -32, 32);
        Assert.InRange(queue.Count, 900, 1023);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(5)]
    public void Enter_RandomComingAndGoing_IsAsTheModelSays(int? most)
    {
        for (int seed = 0; seed < 50; seed++)
        {
            RunRandomly(new Random(seed), most);
        }
    }

    private static void RunRandomly(Random random, int? most)
    {
        int places = random.Next(1, 60);
        var queue = new QueueLimits(places, most, TimeProvider.System);
        List<int> waiting = [];
        for (int i = 0; i < 2000; i++)
        {
            int tenant = random.Next(6);
            if (waiting.Count > 0 && random.Next(5) < 2)
            {
                int leaves = random.Next(waiting.Count);
                queue.Leave($"{waiting[leaves]}");
                waiting.RemoveAt(leaves);
            }
            else if (TryEnter(queue, $"{tenant}") is var entered)
            {
                Assert.Equal(MayEnter(waiting, tenant, places, most), entered);
                if (entered)
                {
                    waiting.Add(tenant);
                }
            }

            Assert.Equal(waiting.Count, queue.Count);
        }
    }

    /// <summary>What is promised, over the plain list of who waits: whoever has nothing waiting gets a free place, and nobody else the last eighth of what is free and his.</summary>
    private static bool MayEnter(List<int> waiting, int tenant, int places, int? most)
    {
        int his = waiting.Count(other => other == tenant);
        int free = places - waiting.Count;
        return free > 0 && (most is { } fixedShare ? his < fixedShare : his == 0 || (his + 1) * 8 <= 7 * (his + free));
    }

    private static int Fill(QueueLimits queue, string tenant)
    {
        int taken = 0;
        while (TryEnter(queue, tenant))
        {
            taken++;
        }

        return taken;
    }

    private static bool TryEnter(QueueLimits queue, string tenant)
    {
        try
        {
            queue.Enter(tenant);
            return true;
        }
        catch (EngineException full) when (full.Error == EngineError.QueueFull)
        {
            Assert.True(full.RetryAfter > TimeSpan.Zero);
            return false;
        }
    }
}
