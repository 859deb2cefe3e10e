namespace LoraServe.Jobs.Queue;

/// <summary>Who runs next: tenants take turns, and each tenant's jobs come in their order.</summary>
internal static class FairOrder
{
    /// <summary>Puts waiting jobs in the order in which they run.</summary>
    /// <remarks>
    /// A job's round is how many jobs of its tenant run or come before it. Lower rounds come first; within one, the tenant whose last turn
    /// is longest ago. What ran when the server ended comes before what waited.
    /// </remarks>
    /// <param name="waiting">The oldest first.</param>
    /// <param name="running">Jobs that run.</param>
    /// <param name="turns">When each tenant's last job began, as a number that grows; a tenant that is not there never had a turn.</param>
    public static IReadOnlyList<QueuedJob> Of(IEnumerable<QueuedJob> waiting, IEnumerable<QueuedJob> running, IReadOnlyDictionary<string, long> turns)
    {
        Dictionary<string, int> rounds = running.CountBy(job => job.Owner.Tenant).ToDictionary();
        return
        [
            .. waiting.OrderBy(job => job.WasRunning ? 0 : 1)
                .Select(job => (Job: job, Round: NextRound(job.Owner.Tenant)))
                .OrderBy(entry => entry.Job.WasRunning ? 0 : 1)
                .ThenBy(entry => entry.Round)
                .ThenBy(entry => turns.GetValueOrDefault(entry.Job.Owner.Tenant, -1))
                .Select(entry => entry.Job),
        ];

        int NextRound(string tenant)
        {
            int round = rounds.GetValueOrDefault(tenant);
            rounds[tenant] = round + 1;
            return round;
        }
    }
}
