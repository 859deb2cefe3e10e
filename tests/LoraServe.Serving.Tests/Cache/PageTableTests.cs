using FsCheck;
using FsCheck.Fluent;
using LoraServe.Serving.Cache;

namespace LoraServe.Serving.Tests.Cache;

public class PageTableTests
{
    private const int PageTokens = 4;

    [Fact]
    public void RandomEvents_AgainstAListOfHolders_AgreeAfterEachEvent() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed => RunEvents(new Random(seed), events: 400)).QuickCheckThrowOnFailure();

    [Fact]
    public void TryAllocate_AllHeld_SaysSo()
    {
        var table = new PageTable(2, new PrefixCache(2, PageTokens));
        Assert.True(table.TryAllocate(out int a));
        Assert.True(table.TryAllocate(out _));
        Assert.False(table.TryAllocate(out _));
        table.Release(a);
        Assert.True(table.TryAllocate(out int again));
        Assert.Equal(a, again);
    }

    [Fact]
    public void Release_KnownPage_IsKeptAndFoundUntilItsRoomIsNeeded()
    {
        var prefixes = new PrefixCache(2, PageTokens);
        var table = new PageTable(2, prefixes);
        table.TryAllocate(out int page);
        prefixes.Add(page, PrefixCache.Root, 0, [1, 2, 3, 4]);
        table.Release(page);
        Assert.Equal(1, table.KeptCount);
        Assert.True(prefixes.TryFind(PrefixCache.Root, 0, [1, 2, 3, 4], out int found, out _));
        Assert.Equal(page, found);
        table.TryAllocate(out _);
        table.TryAllocate(out _);
        Assert.False(prefixes.TryFind(PrefixCache.Root, 0, [1, 2, 3, 4], out _, out _));
    }

    [Fact]
    public void TryFind_OtherSaltParentOrToken_FindsNothing()
    {
        var prefixes = new PrefixCache(4, PageTokens);
        long first = prefixes.Add(0, PrefixCache.Root, 7, [1, 2, 3, 4]);
        long second = prefixes.Add(1, first, 7, [5, 6, 7, 8]);
        Assert.True(prefixes.TryFind(first, 7, [5, 6, 7, 8], out int page, out long id));
        Assert.Equal((1, second), (page, id));
        Assert.False(prefixes.TryFind(first, 8, [5, 6, 7, 8], out _, out _));
        Assert.False(prefixes.TryFind(PrefixCache.Root, 7, [5, 6, 7, 8], out _, out _));
        Assert.False(prefixes.TryFind(first, 7, [5, 6, 7, 9], out _, out _));
    }

    [Fact]
    public void Add_AfterItsParentWasForgotten_IsNotFoundUnderTheNewOne()
    {
        var prefixes = new PrefixCache(4, PageTokens);
        long old = prefixes.Add(0, PrefixCache.Root, 0, [1, 2, 3, 4]);
        prefixes.Add(1, old, 0, [5, 6, 7, 8]);
        prefixes.Forget(0);
        long renewed = prefixes.Add(2, PrefixCache.Root, 0, [1, 2, 3, 4]);
        Assert.NotEqual(old, renewed);
        Assert.False(prefixes.TryFind(renewed, 0, [5, 6, 7, 8], out _, out _));
    }

    private static void RunEvents(Random random, int events)
    {
        int count = random.Next(1, 12);
        var prefixes = new PrefixCache(count, PageTokens);
        var table = new PageTable(count, prefixes);
        List<int> held = [];
        for (int i = 0; i < events; i++)
        {
            switch (random.Next(5))
            {
                case 0:
                    if (table.TryAllocate(out int page))
                    {
                        Assert.DoesNotContain(page, held);
                        Assert.False(prefixes.Knows(page));
                        held.Add(page);
                    }
                    else
                    {
                        Assert.Equal(count, held.Distinct().Count());
                    }

                    break;
                case 1 when held.Count > 0:
                    int shared = held[random.Next(held.Count)];
                    table.Share(shared);
                    held.Add(shared);
                    break;
                case 2:
                    // A hit: whoever finds a page by its prefix holds it.
                    if (prefixes.TryFind(PrefixCache.Root, 0, Tokens(random.Next(20)), out int hit, out _))
                    {
                        table.Share(hit);
                        held.Add(hit);
                    }

                    break;
                case 3 when held.Count > 0:
                    int known = held[random.Next(held.Count)];
                    if (!prefixes.Knows(known))
                    {
                        prefixes.Add(known, PrefixCache.Root, 0, Tokens(random.Next(20)));
                    }

                    break;
                default:
                    if (held.Count > 0)
                    {
                        int at = random.Next(held.Count);
                        table.Release(held[at]);
                        held.RemoveAt(at);
                    }

                    break;
            }

            Assert.Equal(count - held.Distinct().Count(), table.AvailableCount);
            table.CheckIntegrity(held);
        }
    }

    private static int[] Tokens(int kind) => [kind, 1, 2, 3];
}
