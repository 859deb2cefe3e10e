using LoraServe.Jobs.Queue;
using LoraServe.Serving.Requests;

namespace LoraServe.Jobs.Tests.Queue;

public sealed class FairOrderTests
{
    [Theory]
    [InlineData("a1 a2 a3 b1 b2 c1", "", "", "a1 b1 c1 a2 b2 a3")] // a turn each, in the order in which they came
    [InlineData("a1 a2 b1", "", "a", "b1 a1 a2")] // who never had a turn comes before who had one
    [InlineData("a1 a2 b1 b2", "", "b a", "b1 a1 b2 a2")] // who had it longest ago comes first
    [InlineData("a1 a2 b1", "a0", "", "b1 a1 a2")] // what runs counts as a round
    [InlineData("a1 b1 b2 b3", "a0 a9", "", "b1 b2 a1 b3")]
    [InlineData("a1 b1! b2 a2!", "", "", "b1 a2 a1 b2")] // what ran when the server ended comes first
    [InlineData("", "a0", "a", "")]
    public void Of_JobsOfSeveralTenants_LetsThemTakeTurns(string waiting, string running, string turns, string expected)
    {
        IReadOnlyList<QueuedJob> order = FairOrder.Of(Jobs(waiting), Jobs(running), Names(turns).Index().ToDictionary(turn => turn.Item, turn => (long)turn.Index));

        Assert.Equal(expected, string.Join(' ', order.Select(job => job.Id)));
    }

    [Fact]
    public void Of_AnyJobs_KeepsEachTenantsOrderAndLosesNone()
    {
        var random = new Random(1);
        for (int round = 0; round < 200; round++)
        {
            QueuedJob[] waiting = [.. Enumerable.Range(0, random.Next(20)).Select(id => new QueuedJob($"{id:d2}", new Principal($"{random.Next(4)}", false)))];
            QueuedJob[] running = [.. Enumerable.Range(0, random.Next(4)).Select(id => new QueuedJob($"r{id}", new Principal($"{random.Next(4)}", false)))];

            IReadOnlyList<QueuedJob> order = FairOrder.Of(waiting, running, new Dictionary<string, long>());

            Assert.Equal(waiting.OrderBy(job => job.Id), order.OrderBy(job => job.Id));
            Assert.All(order.GroupBy(job => job.Owner.Tenant), own => Assert.Equal(own.OrderBy(job => job.Id), own));

            // Nobody has a second turn before somebody who waits and has none.
            string[] late = [.. order.Select(job => job.Owner.Tenant).Except(running.Select(job => job.Owner.Tenant))];
            Assert.Equal(late.Length, order.Take(late.Length).Select(job => job.Owner.Tenant).Distinct().Count());
        }
    }

    private static string[] Names(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static IEnumerable<QueuedJob> Jobs(string names) => Names(names).Select(name => new QueuedJob(name.TrimEnd('!'), new Principal(name[..1], false), name.EndsWith('!')));
}
