using LoraServe.Adapters;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Store.Names;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Store;

/// <summary>Finding what requests name, also below the adapter root: names that nobody has published, and files that were replaced.</summary>
public sealed partial class AdapterStore
{
    private readonly Dictionary<string, Task> _resolving = [];

    /// <summary>Fixes the versions that a request runs on, and counts it as their user. A name that nobody knows is looked for below the adapter root.</summary>
    internal async ValueTask<AdapterStack> ReserveAsync(RequestOptions request, CancellationToken cancellationToken)
    {
        (Principal who, IReadOnlyList<AdapterReference> references) = (request.Principal, request.Adapters);
        if (references.Count == 0)
        {
            return request.Combination is null
                ? AdapterStack.Empty
                : throw new EngineException(EngineError.InvalidRequest, "The request says how adapters are to be combined, and names none. Name at least one.");
        }

        while (true)
        {
            var parts = new (AdapterVersion Version, float Weight, int? Task)[references.Count];
            for (int i = 0; i < parts.Length; i++)
            {
                AdapterReference reference = references[i];
                AdapterVersion version = await FindAsync(who, reference.Name, cancellationToken).ConfigureAwait(false);
                if (AdapterTask.Refusal(reference.Name, version.Manifest.Tasks, reference.Task) is { } refusal)
                {
                    throw new EngineException(EngineError.InvalidAdapterName, refusal);
                }

                parts[i] = (version, reference.Weight, reference.Task);
            }

            AdapterStack stack = request.Combination is { } combination
                ? new AdapterStack(parts, await _combinations.GetAsync(who, [.. parts.Select(part => (part.Version, part.Weight))], combination, cancellationToken).ConfigureAwait(false))
                : new AdapterStack(parts);
            CheckTogether(stack);
            if (_memory.AddUser(stack))
            {
                return stack;
            }
        }
    }

    private static void CheckTogether(AdapterStack stack)
    {
        AdapterManifest[] scouted = [.. stack.Scouted];
        if (scouted.Length > 1)
        {
            throw new EngineException(
                EngineError.InvalidRequest,
                $"The adapters '{scouted[0].Name}' and '{scouted[1].Name}' both scale themselves by what the model makes of each token (X-LoRA). Name one of them.");
        }

        if (scouted.Length > 0 && stack.VirtualRows > 0)
        {
            throw new EngineException(
                EngineError.InvalidRequest,
                $"The adapter '{scouted[0].Name}' scales itself by what the model makes of each token (X-LoRA), and another puts virtual tokens ahead of the prompt. Name one of them.");
        }
    }

    private async ValueTask<AdapterVersion> FindAsync(Principal who, string reference, CancellationToken cancellationToken)
    {
        AdapterNames names = _names;
        AdapterVersion? found = names.Find(who, reference);
        Task? resolving = found is not null ? LookAgain(reference, found)

            // What is taken out of service stays out: only what was never published is found by itself.
            : AdapterName.Split(reference).Version == 0 && !names.Knows(reference) && _root.Find(reference) is { } path ? Resolve(reference, path)
            : null;
        if (resolving is null)
        {
            return found ?? names.Get(who, reference);
        }

        await resolving.WaitAsync(cancellationToken).ConfigureAwait(false);
        return _names.Get(who, reference);
    }

    // Requests that name the same cold adapter wait for one load.
    private Task Resolve(string name, string path)
    {
        lock (_resolving)
        {
            return _resolving.TryGetValue(name, out Task? resolving) ? resolving : Begin(name, () => PublishFoundAsync(name, path, latest: 0));
        }
    }

    // A folder found by its name is looked at again now and then when a request names it. Null: nothing to wait for.
    private Task? LookAgain(string reference, AdapterVersion found)
    {
        if (found.Manifest.Source != AdapterSource.Resolver || found.Manifest.Name != reference)
        {
            return null;
        }

        lock (_resolving)
        {
            return _resolving.TryGetValue(reference, out Task? resolving) ? resolving
                : _root.IsDue(reference) ? Begin(reference, () => ReplaceAsync(found))
                : null;
        }
    }

    private Task Begin(string name, Func<Task> work)
    {
        // It waits for the lock before it takes itself out, so it is in by then.
        Task resolving = Task.Run(async () =>
        {
            try
            {
                await work().ConfigureAwait(false);
            }
            finally
            {
                lock (_resolving)
                {
                    _resolving.Remove(name);
                }
            }
        });
        _resolving.Add(name, resolving);
        return resolving;
    }

    private async Task ReplaceAsync(AdapterVersion latest)
    {
        string name = latest.Manifest.Name;
        try
        {
            if (_root.Look(name) is { } path && _files.DigestOf(path) != latest.Digest)
            {
                await PublishFoundAsync(name, path, latest.Manifest.Version).ConfigureAwait(false);
            }
        }
        catch (Exception refusal) when (refusal is EngineException or AdapterFormatException)
        {
            // Files that cannot be served, such as half of a copy, leave the version that there is.
            LogNotReplaced(latest, refusal.Message);
        }
    }

    private async Task PublishFoundAsync(string name, string path, int latest)
    {
        try
        {
            _root.Look(name); // what is published now is not looked at again before it changes
            var origin = new Origin(path, AdapterSource.Resolver, Shown(path));
            await PublishAsync(Principal.Operator, name, origin, new PublishOptions { ExpectedVersion = latest }, CancellationToken.None).ConfigureAwait(false);
        }
        catch (EngineException taken) when (taken.Error is EngineError.AdapterExists or EngineError.VersionConflict)
        {
            // Somebody published the name meanwhile; that version is as good.
        }
    }
}
