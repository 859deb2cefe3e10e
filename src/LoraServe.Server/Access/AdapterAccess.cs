using Grpc.Core;
using LoraServe.Serving;
using LoraServe.Serving.Store;

namespace LoraServe.Server.Access;

/// <summary>Which adapters a caller may see and change: administrators all, tenants their own and those without an owner.</summary>
internal static class AdapterAccess
{
    public static bool CanUse(Principal caller, AdapterRecord adapter) =>
        caller.IsAdmin || adapter.Owner.Length == 0 || adapter.Owner == caller.Tenant;

    /// <summary>Another tenant's adapter looks like one that does not exist.</summary>
    /// <exception cref="EngineException">The adapter is another tenant's.</exception>
    public static void RequireUse(Principal caller, AdapterStore store, IEnumerable<AdapterReference> references)
    {
        if (caller.IsAdmin)
        {
            return;
        }

        foreach (AdapterReference reference in references)
        {
            // What the store does not know yet, it may find below the adapter root: those adapters have no owner.
            if (store.Find(reference.Name) is { } adapter && !CanUse(caller, adapter))
            {
                throw new EngineException(EngineError.UnknownAdapter, $"There is no adapter '{reference.Name}'.");
            }
        }
    }

    /// <summary>Refuses to change what belongs to somebody else.</summary>
    /// <exception cref="RpcException">PERMISSION_DENIED: the name is another owner's.</exception>
    public static void RequireChange(Principal caller, AdapterStore store, string reference)
    {
        if (!caller.IsAdmin && store.Find(reference) is { } adapter && adapter.Owner != caller.Tenant)
        {
            throw new RpcException(new Status(
                StatusCode.PermissionDenied,
                $"Adapter '{reference}' is not tenant '{caller.Tenant}''s. Choose another name, or use an administrator's key."));
        }
    }
}
