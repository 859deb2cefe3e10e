using System.Security.Cryptography;
using System.Text;
using LoraServe.Adapters;
using LoraServe.Adapters.Merging;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Residency;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store;

/// <summary>What requests combine: versions without a number or files, made of others' when one is first asked for, and again where it was evicted.</summary>
/// <remarks>
/// Who asks for the same combination gets the same version. So many are kept; then the one goes that was not asked for the longest, of the tenant that
/// has most of them. Any thread may call.
/// </remarks>
internal sealed class RequestCombinations(
    EngineOptions options, Transformer model, MergeQueue merges, AdapterMemory memory, Func<AdapterVersion, Adapter> read, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Entry> _entries = []; // those that were asked for last come first

    /// <summary>The version that a request runs on.</summary>
    /// <param name="who">Who asks; may use all inputs.</param>
    /// <param name="inputs">What is combined.</param>
    /// <param name="combination">How.</param>
    /// <param name="cancellationToken">Gives up waiting; what is begun is made all the same, since others may wait for it too.</param>
    /// <exception cref="EngineException">They cannot be combined, it would take too much, or too many wait for theirs already.</exception>
    public Task<AdapterVersion> GetAsync(
        Principal who, IReadOnlyList<(AdapterVersion Version, float Weight)> inputs, CombinationOptions combination, CancellationToken cancellationToken)
    {
        merges.CheckCount(inputs.Count);
        CombinationOptions bounded = merges.Bound([.. inputs.Select(input => input.Version.Manifest)], combination);
        string digest = DigestOf(inputs, combination);
        lock (_lock)
        {
            if (_entries.FirstOrDefault(entry => entry.Digest == digest) is { } found)
            {
                _entries.Remove(found);
                _entries.AddFirst(found);
                return found.Made.WaitAsync(cancellationToken);
            }

            if (_entries.Count >= options.MaxRequestCombinations)
            {
                string greediest = _entries.GroupBy(entry => entry.Tenant).MaxBy(own => own.Count())!.Key;
                Forget(_entries.Last(entry => entry.Tenant == greediest));
            }

            var made = new Entry(digest, who.Tenant);
            _entries.AddFirst(made);
            made.Made = MakeAsync(made, inputs, bounded); // merging is another thread's
            return made.Made.WaitAsync(cancellationToken);
        }
    }

    // Under the lock. Requests that run on it finish; what is not made yet is retired when it is.
    private void Forget(Entry entry)
    {
        _entries.Remove(entry);
        if (entry.Made.IsCompletedSuccessfully)
        {
            memory.Retire(entry.Made.Result, deleteFiles: false);
        }
    }

    private async Task<AdapterVersion> MakeAsync(Entry entry, IReadOnlyList<(AdapterVersion Version, float Weight)> inputs, CombinationOptions combination)
    {
        try
        {
            Adapter parsed = await CombineAsync().ConfigureAwait(false);
            ResidentAdapter resident = model.Place(parsed);
            if (resident.ByteLength > memory.BudgetBytes)
            {
                resident.Dispose();
                throw new EngineException(
                    EngineError.AdapterTooLarge, $"The combination takes {resident.ByteLength} bytes in compute form, the budget is {memory.BudgetBytes}. Ask for a smaller rank, or raise the budget.");
            }

            var version = new AdapterVersion(Manifest(entry, inputs, parsed, resident)) { Make = CombineAsync };
            memory.Adopt(version, parsed, resident, isPinned: false);
            lock (_lock)
            {
                if (!_entries.Contains(entry))
                {
                    memory.Retire(version, deleteFiles: false);
                }
            }

            return version;
        }
        catch
        {
            lock (_lock)
            {
                _entries.Remove(entry); // who asks again has it tried again
            }

            throw;
        }

        async Task<Adapter> CombineAsync()
        {
            Adapter? made = null;
            await merges.RunAsync(entry.Tenant, () => made = Combine(inputs, combination, entry.Digest), CancellationToken.None).ConfigureAwait(false);
            return made!;
        }
    }

    private Adapter Combine(IReadOnlyList<(AdapterVersion Version, float Weight)> inputs, CombinationOptions combination, string digest)
    {
        Dictionary<string, Adapter> parsed = inputs.Select(input => input.Version).DistinctBy(version => version.Digest).ToDictionary(version => version.Digest, read);
        return AdapterCombination.ToAdapter([.. inputs.Select(input => new WeightedAdapter(parsed[input.Version.Digest], input.Weight))], model, combination, digest);
    }

    private AdapterManifest Manifest(Entry entry, IReadOnlyList<(AdapterVersion Version, float Weight)> inputs, Adapter parsed, ResidentAdapter resident) => new()
    {
        Name = string.Join('+', inputs.Select(input => input.Version.Manifest.Name)),
        Version = 0,
        Digest = entry.Digest,
        Owner = inputs.Select(input => input.Version.Manifest.Owner).FirstOrDefault(owner => owner.Length > 0) ?? "",
        Source = AdapterSource.Directory,
        Method = parsed.Report.Method,
        MinimumRank = parsed.Report.MinimumRank,
        MaximumRank = parsed.Report.MaximumRank,
        FileBytes = 0,
        HostBytes = parsed.ByteLength,
        ResidentBytes = resident.ByteLength,
        SharedParts = [.. resident.SharedParts],
        InvocationTokens = [],
        EndTokens = [.. inputs.SelectMany(input => input.Version.Manifest.EndTokens).Distinct()],
        PublishedAt = time.GetUtcNow(),
    };

    // What it is made of and how says all of it: the same files with the same settings are the same combination, whoever asks.
    private static string DigestOf(IReadOnlyList<(AdapterVersion Version, float Weight)> inputs, CombinationOptions combination)
    {
        var text = new StringBuilder(FormattableString.Invariant(
            $"{combination.Method} {combination.Density:R} {combination.Rank} {combination.ElectByFrequency} {combination.Seed}"));
        foreach ((AdapterVersion version, float weight) in inputs)
        {
            text.Append(FormattableString.Invariant($" {version.Digest}:{weight:R}"));
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private sealed class Entry(string digest, string tenant)
    {
        public string Digest { get; } = digest;

        public string Tenant { get; } = tenant;

        public Task<AdapterVersion> Made { get; set; } = null!; // set under the lock, before anybody sees the entry
    }
}
