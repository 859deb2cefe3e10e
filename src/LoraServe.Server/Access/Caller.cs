using Grpc.Core;

namespace LoraServe.Server.Access;

/// <summary>Who makes a call.</summary>
/// <param name="Tenant">Whom the call counts for.</param>
/// <param name="IsAdmin">Whether the caller may change what others use.</param>
internal sealed record Caller(string Tenant, bool IsAdmin)
{
    /// <summary>Where the interceptor leaves the caller for the services.</summary>
    private static readonly object s_key = new();

    public static Caller Of(ServerCallContext context) => (Caller)context.UserState[s_key];

    /// <summary>The caller; null where the call was refused before anybody asked who it is from.</summary>
    public static Caller? Find(ServerCallContext context) => context.UserState.TryGetValue(s_key, out object? caller) ? (Caller)caller : null;

    public void Attach(ServerCallContext context) => context.UserState[s_key] = this;

    /// <exception cref="RpcException">PERMISSION_DENIED: the caller is no administrator.</exception>
    public void RequireAdmin(string action)
    {
        if (!IsAdmin)
        {
            throw new RpcException(new Status(StatusCode.PermissionDenied, $"Tenant '{Tenant}' may not {action}: the key is not an administrator's. Use a key with Admin set."));
        }
    }
}
