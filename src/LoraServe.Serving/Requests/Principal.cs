namespace LoraServe.Serving.Requests;

/// <summary>Who asks: on whose account work counts, whose adapters are seen, what may be changed.</summary>
/// <param name="Tenant">The tenant; empty for the operator of the process, whose adapters everybody may use.</param>
/// <param name="IsAdmin">Whether it may see and change what belongs to others.</param>
public sealed record Principal(string Tenant, bool IsAdmin)
{
    /// <summary>Whoever runs the process: what it publishes belongs to no tenant.</summary>
    public static Principal Operator { get; } = new("", IsAdmin: true);

    /// <summary>Refuses what only administrators may do.</summary>
    /// <param name="action">What it would do, as in "may not …".</param>
    /// <exception cref="EngineException"><see cref="EngineError.PermissionDenied"/>.</exception>
    public void RequireAdmin(string action)
    {
        if (!IsAdmin)
        {
            throw new EngineException(EngineError.PermissionDenied, $"Tenant '{Tenant}' may not {action}: the key is not an administrator's. Use a key with Admin set.");
        }
    }
}
