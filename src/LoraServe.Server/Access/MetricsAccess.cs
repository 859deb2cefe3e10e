namespace LoraServe.Server.Access;

/// <summary>Who may read <c>/metrics</c> where there are keys. Adapters that tenants own are named to administrators only.</summary>
public enum MetricsAccess
{
    /// <summary>Everybody; without a key, too.</summary>
    Anyone,

    /// <summary>Whoever has a key.</summary>
    Keys,

    /// <summary>Whoever has an administrator's key.</summary>
    Admins,
}
